"""Releases chosen: the editions an album may be, and the release a file belongs to."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from soulspot.matching.albums.release import SAME_ALBUM, Album, album_similarity, same_position
from soulspot.matching.text.names import credit_similarity, is_various, parse_credit
from soulspot.matching.text.similarity import title_similarity
from soulspot.matching.views import View
from soulspot.models import Entity, TrackTags

_SAME_ARTIST = 0.6  # from this likeness on two album artists may be one


def choose_editions(
    tags: TrackTags, album: str, artist: str | None, releases: Sequence[Entity], *, size: int,
    by_artist: Set[str] = frozenset(),
) -> list[Entity]:  # fmt: skip
    """Return the releases that may be `album`, the likeliest first.

    `size` is the number of its tracks in the library; `artist` is None for a compilation. Releases
    with an id in `by_artist` are known to be the artist's, whatever the artist is called there, and
    may have another name where they have exactly `size` tracks.

    Ranked by name, editions that can hold all the tracks before shorter ones, official ones before
    others, the year of the tags, the nearest number of tracks, the earliest date."""
    wanted = Album(album)
    least = max(size, tags.track_total or 0, tags.track_number or 0)
    ranked = []
    for release in releases:
        fields = release.fields
        entry: Mapping[str, Any] = next(iter(fields.get("releases", ())), {})
        found = Album(
            str(fields.get("album", "")),
            status=entry.get("status"),
            primary=entry.get("primary_type"),
            secondary=tuple(entry.get("secondary_types", ())),
        )
        likeness = title_similarity(wanted.title, found.title) or 0.0
        # An edition in another script has another name: artist and number of tracks tell it.
        count, date = int(fields.get("track_count", 0)), str(fields.get("release_date", "9999"))
        if release.id in by_artist:
            if likeness < SAME_ALBUM and count != size:
                continue
        elif likeness < SAME_ALBUM or not album_may_be_by(fields, artist):
            continue
        rank = (
            -round(likeness, 2),
            0 < count < least,
            found.preference if artist else 0,
            tags.date is not None and date[:4] != tags.date[:4],
            abs(count - least),
            date,
            release.id,
        )
        ranked.append((rank, release))
    return [release for _, release in sorted(ranked, key=lambda pair: pair[0])]


def album_may_be_by(fields: Mapping[str, Any], artist: str | None) -> bool:
    """Whether an album with these fields may be by `artist`; None stands for various artists. True
    where the names cannot be compared."""
    credit = fields.get("album_artist")
    if not credit:
        return True
    if artist is None:
        return is_various(str(credit))
    wanted = parse_credit(artist)
    similarity = credit_similarity(wanted, parse_credit(str(credit)))
    if similarity is None or similarity >= _SAME_ARTIST:
        return True
    aliases = fields.get("artist_aliases", ())
    return any((credit_similarity(wanted, parse_credit(str(alias))) or 0.0) >= 0.85 for alias in aliases)


def choose_release(tags: View, candidate: View) -> Mapping[str, Any] | None:
    """Return the entry of the candidate's releases that the file belongs to, or None.

    By release id, else by album name, position, official before promotion, album before single
    before compilation, the year of the tags, the earliest date. Where the tags name an album, a
    release of another name is never chosen."""
    wanted = tags.albums[0] if tags.albums else None
    pairs = zip(candidate.albums, candidate.entries, strict=True)
    known = [(album, entry) for album, entry in pairs if entry is not None]
    if tags.release_id:
        for album, entry in known:
            if album.id == tags.release_id and (wanted is None or album_similarity(wanted, album) >= 0.5):
                return entry
    if wanted is not None and "album" not in tags.guessed:
        known = [(album, entry) for album, entry in known if album_similarity(wanted, album) >= SAME_ALBUM]
    if not known:
        return None

    def rank(found: tuple[Album, Mapping[str, Any]]) -> tuple[float, int, int, int, str, str]:
        album = found[0]
        likeness = -round(album_similarity(wanted, album), 2) if wanted else 0.0
        place = {True: 0, None: 1, False: 2}[same_position(wanted, album) if wanted else None]
        year = 0 if tags.year and album.date and album.date[:4] == tags.year else 1
        return (likeness, place, album.preference, year, album.date or "9999", album.id or "")

    return min(known, key=rank)[1]
