"""The parties and releases of a release message, and the tags of the recordings on them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from soulspot.imports.ern.elements import (
    Element,
    artists_of,
    children,
    first_text,
    local_name,
    party_name,
    text_of,
    title_of,
    with_details,
)
from soulspot.imports.rows import describe_malformed
from soulspot.library import identifiers, values
from soulspot.models import Identifiers, TrackTags

_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_WORK_GROUPS = ("MultiWorkPart", "Side")  # groups that part a disc, but begin none
_RELEASE_IDS = ("ICPN", "GRid", "CatalogNumber", "ProprietaryId")
_RELEASE_DATES = ("OriginalReleaseDate", "ReleaseDate", "GlobalOriginalReleaseDate", "GlobalReleaseDate")
_VARIOUS = frozenset({"various artists", "various"})


class Releases:
    """The parties and releases of one message, collected from its elements by `add`. Small beside
    the recordings, of which only their positions are kept."""

    def __init__(self) -> None:
        self._parties: dict[str, str] = {}  # reference -> full name
        self._sender = ""
        self._release_ids: list[str | None] = []
        # A recording's reference -> index of its release, and the tags from its place there.
        self._places: dict[str, tuple[int, dict[str, Any]]] = {}

    def add(self, list_name: str, element: Element) -> None:
        """Note a party, a release or the sender: one element of the message's list `list_name`."""
        name = local_name(element)
        if list_name == "MessageHeader" and name == "MessageSender":
            self._sender = first_text(element, "PartyId") or ""
        elif list_name == "PartyList":
            reference, full_name = first_text(element, "PartyReference"), party_name(element)
            if reference and full_name:
                self._parties[reference] = full_name
        elif list_name == "ReleaseList" and name == "Release":
            self._add_release(element)

    def describe_recording(self, element: Element) -> tuple[str | None, TrackTags, tuple[str, ...]]:
        """Return a sound recording's reference within the message, its tags, and remarks.

        The tags include those of its release and its position there; remarks name bad values."""
        parts = with_details(element, "SoundRecordingDetailsByTerritory")
        reference = first_text(element, "ResourceReference")
        credit, names = artists_of(parts, self._parties)
        malformed: list[str] = []
        isrcs = identifiers.parse_isrcs(_isrcs(element), "isrc", malformed)
        written = next((text for part in parts if (text := first_text(part, "Duration"))), None)
        _, release_tags = self._places.get(reference or "", (0, {}))
        tags = TrackTags(
            title=title_of(parts),
            artist=credit,
            artists=names if len(names) > 1 else (),
            duration_ms=duration_ms(written),
            ids=Identifiers(isrcs=isrcs, malformed=tuple(malformed)),
            **release_tags,
        )
        remarks = [*describe_malformed(malformed)]
        if written and not _LENGTH.fullmatch(written):
            remarks.append(f"Duration {written[:100]!r} is not a length such as PT3M25S")
        return reference, tags, tuple(remarks)

    def stable_id(self, reference: str | None) -> str:
        """Return the id of the recording's release, which is the same in every delivery of it.
        Falls back to the message's sender for a release without an id."""
        number, _ = self._places.get(reference or "", (0, {}))
        release_id = self._release_ids[number] if number < len(self._release_ids) else None
        return release_id or self._sender

    def _add_release(self, element: Element) -> None:
        parts = with_details(element, "ReleaseDetailsByTerritory")
        kinds = [text_of(kind) for part in parts for kind in children(part, "ReleaseType")]
        # ERN 3 lists every track that is for sale by itself as a release.
        if element.get("IsMainRelease") != "true" and "TrackRelease" in kinds:
            return
        credit, _ = artists_of(parts, self._parties)
        written = (first_text(part, name) for name in _RELEASE_DATES for part in parts)
        dates = map(values.parse_date, filter(None, written))
        is_compilation = any(first_text(part, "IsMultiArtistCompilation") == "true" for part in parts)
        genres = dict.fromkeys(
            text for part in parts for name in ("Genre", "DisplayGenre") if (text := first_text(part, name, "GenreText"))
        )  # fmt: skip
        tags = {
            "album": title_of(parts),
            "album_artist": credit,
            "date": next(filter(None, dates), None),
            "genres": tuple(genres),
            "compilation": is_compilation or (credit or "").casefold() in _VARIOUS,
        }
        self._release_ids.append(_release_id(element))
        for part in parts:
            for group in children(part, "ResourceGroup"):
                self._add_discs(group, tags)
        for listed in children(element, "ReleaseResourceReferenceList", "ReleaseResourceReference"):
            self._add_place(listed, tags, None, None)

    def _add_discs(self, release_group: Element, tags: dict[str, Any]) -> None:
        """Note the places in an outermost group: that of the release. The groups within it are
        discs, unless they part one disc into works or sides."""
        inner = children(release_group, "ResourceGroup")
        discs = [group for group in inner if group.get("ResourceGroupType") not in _WORK_GROUPS]
        only_discs = bool(discs) and len(discs) == len(inner)
        if only_discs:
            for number, disc in enumerate(discs, 1):
                self._add_tracks(disc, tags, _sequence_number(disc) or number)
        if not only_discs or children(release_group, "ResourceGroupContentItem"):
            self._add_tracks(release_group, tags, _sequence_number(release_group), nested=not discs)

    def _add_tracks(self, group: Element, tags: dict[str, Any], disc: int | None, *, nested: bool = True) -> None:
        has_works = nested and bool(children(group, "ResourceGroup"))
        for position, item in enumerate(_content_items(group, nested), 1):
            reference = next(iter(children(item, "ReleaseResourceReference")), None)
            if reference is not None:
                # Within works the sequence numbers begin with 1 again.
                track = position if has_works else _sequence_number(item) or position
                self._add_place(reference, tags, disc, track)

    def _add_place(self, reference: Element, tags: dict[str, Any], disc: int | None, track: int | None) -> None:
        if name := text_of(reference):
            place = {**tags, "disc_number": disc, "track_number": track}
            self._places.setdefault(name, (len(self._release_ids) - 1, place))


def _content_items(group: Element, nested: bool) -> list[Element]:
    found = []
    for child in group:
        if local_name(child) == "ResourceGroupContentItem":
            references = children(child, "ReleaseResourceReference")
            if not any(ref.get("ReleaseResourceType") == "SecondaryResource" for ref in references):
                found.append(child)
        elif nested and local_name(child) == "ResourceGroup":
            found += _content_items(child, nested)
    return found


def _sequence_number(element: Element) -> int | None:
    text = first_text(element, "SequenceNumber")
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text[:9]) < 10_000 else None


def _release_id(element: Element) -> str | None:
    holders = [holder for holder in children(element, "ReleaseId") if holder.get("IsReplaced") != "true"]
    found = (first_text(holder, name) for name in _RELEASE_IDS for holder in holders)
    return next(filter(None, found), None)


def _isrcs(element: Element) -> Iterator[str]:
    # ERN 4.3 has ISRCs by edition, earlier versions by resource. A replaced id is one of the past.
    paths: Sequence[tuple[str, ...]] = (
        ("SoundRecordingEdition", "ResourceId"), ("ResourceId",), ("SoundRecordingId",),
    )  # fmt: skip
    for path in paths:
        for holder in children(element, *path):
            if holder.get("IsReplaced") != "true":
                yield from filter(None, map(text_of, children(holder, "ISRC")))


def duration_ms(text: str | None) -> int | None:
    """Return the milliseconds of an ISO 8601 duration ("PT3M25S"); None for 0 and other text."""
    match = _LENGTH.fullmatch(text or "")
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return values.seconds_to_ms(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
