"""Read a release from its records. Where these disagree, the most frequent value wins: the order
of records changes nothing."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from soulspot.export.ddex import cells
from soulspot.export.ddex.credits import VARIOUS_CREDIT, Credit, split_credit
from soulspot.export.ddex.grouping import MOST_TRACKS, Group
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.ddex.tracks import Fault, Track, read_track

T = TypeVar("T", bound=Hashable)

COLUMNS = (
    "track_id", "source_key", "title", "artist", "artists", "mb_artist_ids", "album", "album_artist",
    "track_number", "disc_number", "duration_ms", "isrc", "release_date", "original_date", "genres", "label",
    "catalog_number", "barcode", "explicit", "mb_release_id",
)  # fmt: skip
"""The columns of `enriched_tracks` that a message is made of."""
_TYPES = {"album": "Album", "single": "Single", "ep": "EP", "compilation": "Album"}
_SINGLE, _EP = (3, 10 * 60_000), (6, 30 * 60_000)  # tracks at most; ms a track of a single, ms of a whole EP


@dataclass(frozen=True, slots=True)
class Release:
    """A release as its message needs it."""

    title: str
    credit: Credit
    label: str
    kind: str  # a ReleaseType of DDEX
    genres: tuple[str, ...]
    tracks: tuple[Track, ...]  # in their order on the release
    barcode: str | None
    catalog_number: str | None
    proprietary_id: str
    release_date: str | None
    original_date: str | None
    p_line: str | None
    c_line: str | None

    @property
    def ident(self) -> str:
        """The best id: barcode, else catalogue number, else the sender's own id."""
        return self.barcode or self.catalog_number or self.proprietary_id

    @property
    def explicit(self) -> bool | None:
        """True with an explicit track, False when all tracks are known to be clean, else None."""
        ratings = {track.explicit for track in self.tracks}
        return True if True in ratings else False if ratings == {False} else None


def read_release(group: Group, settings: ErnSettings, faults: list[Fault], remarks: list[str]) -> Release | None:
    """Return the release of these records, or None after adding every reason to `faults`.

    `remarks` gets sentences about changed and left out values."""
    records = group.records
    if not group.key:
        faults.append(("group_by", f"{group.count} records name no release: what groups them is empty there"))
    elif group.count > MOST_TRACKS:
        faults.append(("group_by", f"{group.count} records are too many for one release: group by another column"))
    if faults:
        return None

    def agreed(field: str, reader: Callable[[Any], T | None]) -> T | None:
        try:
            values = [value for record in records if (value := reader(record.get(field))) is not None]
        except ValueError as error:
            faults.append((field, str(error)))
            return None
        best = most_common(values)
        if best is not None and len(set(values)) > 1:
            remarks.append(f"{field}: its records disagree; {best!r:.60} is what most of them say")
        return best

    def text(field: str) -> str | None:
        return agreed(field, lambda value: cells.text(value, field, remarks))

    def need(field: str, value: T | None, words: str) -> T | None:
        if not value:
            faults.append((field, words))
        return value

    tracks = [track for record in records if (track := read_track(record, faults, remarks))]
    title = need("album", text("album"), "has no title (album)")
    label = need("label", text("label") or settings.label,
                 "has no label; export.ddex.label stands in for a missing one")  # fmt: skip
    genre = most_common([track.genres[0] for track in tracks if track.genres]) or settings.genre
    if tracks:
        need("genres", genre, "has no genre; export.ddex.genre stands in for a missing one")
    barcode = agreed("barcode", cells.barcode)
    number = text("catalog_number")
    own = text("mb_release_id") or group.key
    released = agreed("release_date", cells.date)
    kind = _kind(text("release_type"), tracks, settings, faults)
    if any(not deal.start_date for deal in settings.deals) and len(released or "") < 10:
        faults.append(("release_date", "has no full release date (YYYY-MM-DD), with which its deals could begin; "
                       "export.ddex.deals may have a start_date"))  # fmt: skip
    original = _original_date(records, faults)
    credit = credit_of_release(tracks, text("album_artist"))
    ordered = in_order(tracks, faults, remarks)
    if faults or credit is None or not (title and label and kind and own):
        return None
    return Release(
        title, credit, label, kind, (genre,) if genre else (), ordered, barcode, number, own,
        released, original, text("p_line"), text("c_line"),
    )  # fmt: skip


def _original_date(records: Sequence[Any], faults: list[Fault]) -> str | None:
    # Recordings of several days were put together later, so none of these days is the release's.
    try:
        dates = {date for record in records if (date := cells.date(record.get("original_date"))) is not None}
    except ValueError as error:
        faults.append(("original_date", str(error)))
        return None
    return dates.pop() if len(dates) == 1 else None


def most_common(values: Sequence[T]) -> T | None:
    """Return the most frequent value, the smallest of equally frequent ones; None without any."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], str(value)), default=None)


def credit_of_release(tracks: Sequence[Track], album_artist: str | None) -> Credit | None:
    """Return the credit of the album artist; else the credit that all tracks share, or their common
    first artist; else various. None without an album artist and tracks."""
    credits = [track.credit for track in tracks]
    if album_artist:
        known = [credit for credit in credits if credit.text.casefold() == album_artist.casefold()]
        return most_common(known) or split_credit(album_artist)
    if len({credit.text.casefold() for credit in credits}) > 1:
        leaders = {credit.artists[0].name.casefold() for credit in credits}
        leader = credits[0].artists[:1]
        return VARIOUS_CREDIT if len(leaders) > 1 else Credit(leader[0].name, leader)
    return most_common(credits)


def in_order(tracks: Sequence[Track], faults: list[Fault], remarks: list[str]) -> tuple[Track, ...]:
    """Return the tracks by disc and track number, adding contradictions to `faults`.

    Two files of one track have the same place and ISRC: they count once, which is remarked."""
    # Tracks without a number have their ISRC as their place, so two of them never collide.
    by_place: dict[tuple[object, ...], Track] = {}
    for track in sorted(tracks, key=lambda one: (one.order, one.duration_ms)):
        disc, number = track.position
        place = (disc or 1, number) if number else (disc or 1, None, track.isrc)
        other = by_place.setdefault(place, track)
        if other is track:
            continue
        if other.isrc == track.isrc:
            remarks.append(f"{track.title!r:.60}: there twice with the same place and ISRC, written once")
        else:
            where = f"disc {disc or 1} track {number}"
            faults.append(("track_number", f"{where} is both {other.title!r:.60} and {track.title!r:.60}"))
    # One ISRC with two titles is a copying mistake that a shop would reject.
    titles: dict[str, str] = {}
    for track in by_place.values():
        title = titles.setdefault(track.isrc, track.title)
        if title.casefold() != track.title.casefold():
            faults.append(("isrc", f"{track.isrc} is that of both {title!r:.60} and {track.title!r:.60}"))
    return tuple(by_place.values())


def _kind(given: str | None, tracks: Sequence[Track], settings: ErnSettings, faults: list[Fault]) -> str | None:
    if given and given.casefold() not in _TYPES and not given.isalnum():
        faults.append(("release_type", f"{given!r:.60} is no release type of DDEX, such as Album, EP or Single"))
        return None
    if given := given or settings.release_type:
        return _TYPES.get(given.casefold(), given)
    # Stores sort by these limits: Single up to 3 short tracks, EP up to 6 tracks and 30 minutes.
    lengths = [track.duration_ms for track in tracks]
    if len(lengths) <= _SINGLE[0] and all(length < _SINGLE[1] for length in lengths):
        return "Single"
    return "EP" if len(lengths) <= _EP[0] and sum(lengths) < _EP[1] else "Album"
