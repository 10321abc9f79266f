"""The records of one release -> one `Release`, or every reason why there is none; pure.

What its records disagree about is settled by the most of them, so that the order of records changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from soulspot.export.ddex import cells
from soulspot.export.ddex.credits import VARIOUS_CREDIT, Credit, parted
from soulspot.export.ddex.grouping import MOST_TRACKS, Group
from soulspot.export.ddex.gtin import gtin
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
    """All that a message says of its release. One of `barcode`, `catalog_number` and `proprietary_id` names it."""

    title: str
    credit: Credit
    label: str
    kind: str
    genres: tuple[str, ...]
    tracks: tuple[Track, ...]
    barcode: str | None
    catalog_number: str | None
    proprietary_id: str
    release_date: str | None
    original_date: str | None
    p_line: str | None
    c_line: str | None

    @property
    def ident(self) -> str:
        return self.barcode or self.catalog_number or self.proprietary_id

    @property
    def explicit(self) -> bool | None:
        said = {track.explicit for track in self.tracks}
        return True if True in said else False if said == {False} else None


def read_release(
    group: Group, settings: ErnSettings, faults: list[Fault], remarks: list[str]
) -> Release | None:
    """The release of these records, or None with every reason among `faults`; `remarks` has what was changed."""
    records = group.records
    if not group.key:
        faults.append(("group_by", f"{group.count} records name no release: what groups them is empty there"))
    elif group.count > MOST_TRACKS:
        faults.append(
            ("group_by", f"{group.count} records are too many for one release: group by another column")
        )
    if faults:
        return None

    def of_most(field: str, reader: Callable[[Any], T | None]) -> T | None:
        try:
            said = [value for record in records if (value := reader(record.get(field))) is not None]
        except ValueError as error:
            faults.append((field, str(error)))
            return None
        best = commonest(said)
        if best is not None and len(set(said)) > 1:
            remarks.append(f"{field}: its records disagree; {best!r:.60} is what most of them say")
        return best

    def words(field: str) -> str | None:
        return of_most(field, lambda value: cells.text(value, field, remarks))

    tracks = [track for record in records if (track := read_track(record, faults, remarks))]
    title = words("album")
    if title is None:
        faults.append(("album", "has no title (album)"))
    label = words("label") or settings.label
    if label is None:
        faults.append(("label", "has no label; export.ddex.label stands in for a missing one"))
    genres = _genres(tracks, settings)
    if not genres and tracks:
        faults.append(("genres", "has no genre; export.ddex.genre stands in for a missing one"))
    barcode = of_most("barcode", lambda value: gtin(value) if cells.text(value) else None)
    number = words("catalog_number")
    own = words("mb_release_id") or group.key
    released = of_most("release_date", cells.date)
    kind = _kind(words("release_type"), tracks, settings, faults)
    if any(not deal.start_date for deal in settings.deals) and len(released or "") < 10:
        faults.append(("release_date", "has no full release date (YYYY-MM-DD), with which its deals could begin; "
                       "export.ddex.deals may have a start_date"))  # fmt: skip
    original = _original_date(records, faults)
    credit = credit_of_release(records, tracks, words("album_artist"))
    ordered = in_order(tracks, faults, remarks)
    if faults or credit is None or not (title and label and kind and own):
        return None
    return Release(
        title, credit, label, kind, genres, ordered, barcode, number, own,
        released, original, words("p_line"), words("c_line"),
    )  # fmt: skip


def _original_date(records: Sequence[Any], faults: list[Fault]) -> str | None:
    """The day on which all its recordings came out first. Recordings of several days were put together later, and
    none of these days is that of the release."""
    try:
        said = {date for record in records if (date := cells.date(record.get("original_date"))) is not None}
    except ValueError as error:
        faults.append(("original_date", str(error)))
        return None
    return said.pop() if len(said) == 1 else None


def commonest(values: Sequence[T]) -> T | None:
    """What most of them are; of equally many the smallest, so that their order plays no part."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], str(value)), default=None)


def credit_of_release(
    records: Sequence[Any], tracks: Sequence[Track], album_artist: str | None
) -> Credit | None:
    """Whom the release is by: its album artist, else the artist of all its tracks, else various artists."""
    credits = [track.credit for track in tracks]
    if album_artist:
        known = [credit for credit in credits if credit.shown.casefold() == album_artist.casefold()]
        return commonest_credit(known) or Credit(album_artist, tuple(parted(album_artist)))
    if len({credit.shown.casefold() for credit in credits}) > 1:
        leaders = {credit.artists[0].name.casefold() for credit in credits}
        return (
            VARIOUS_CREDIT if len(leaders) > 1 else Credit(credits[0].artists[0].name, credits[0].artists[:1])
        )
    return commonest_credit(credits)


def commonest_credit(credits: Iterable[Credit]) -> Credit | None:
    return commonest(list(credits))


def in_order(tracks: Sequence[Track], faults: list[Fault], remarks: list[str]) -> tuple[Track, ...]:
    """By disc and track number. A track that is there twice, as two files of it say, counts once."""
    found: dict[tuple[object, ...], Track] = {}
    for track in sorted(tracks, key=lambda one: (one.order, one.duration_ms)):
        disc, number = track.position
        place = (disc or 1, number) if number else (disc or 1, None, track.isrc)
        other = found.setdefault(place, track)
        if other is track:
            continue
        if other.isrc == track.isrc:
            remarks.append(f"{track.title!r:.60}: there twice with the same place and ISRC, written once")
        else:
            where = f"disc {disc or 1} track {number}"
            faults.append(("track_number", f"{where} is both {other.title!r:.60} and {track.title!r:.60}"))
    titles: dict[str, str] = {}
    for track in found.values():
        other_title = titles.setdefault(track.isrc, track.title)
        if other_title.casefold() != track.title.casefold():
            faults.append(
                ("isrc", f"{track.isrc} is that of both {other_title!r:.60} and {track.title!r:.60}")
            )
    return tuple(found.values())


def _genres(tracks: Sequence[Track], settings: ErnSettings) -> tuple[str, ...]:
    first = [track.genres[0] for track in tracks if track.genres]
    best = commonest(first) or settings.genre
    return (best,) if best else ()


def _kind(
    given: str | None, tracks: Sequence[Track], settings: ErnSettings, faults: list[Fault]
) -> str | None:
    if given and given.casefold() not in _TYPES and not given.isalnum():
        faults.append(
            ("release_type", f"{given!r:.60} is no release type of DDEX, such as Album, EP or Single")
        )
        return None
    if given := given or settings.release_type:
        return _TYPES.get(given.casefold(), given)
    lengths = [track.duration_ms for track in tracks]
    if len(lengths) <= _SINGLE[0] and all(length < _SINGLE[1] for length in lengths):
        return "Single"
    return "EP" if len(lengths) <= _EP[0] and sum(lengths) < _EP[1] else "Album"
