"""The parties and releases of a release message: whose a recording is, on which release it stands, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from soulspot.imports.ern.elements import (
    Element,
    artists_of,
    children,
    details,
    first,
    local,
    party_name,
    text_of,
    title_of,
)
from soulspot.library import values

_WORKS = ("MultiWorkPart", "Side")  # groups that part a disc, but begin none
_IDS = ("ICPN", "GRid", "CatalogNumber", "ProprietaryId")
_VARIOUS = frozenset({"various artists", "various"})


@dataclass(frozen=True, slots=True)
class _Release:
    ident: str | None
    tags: dict[str, Any]


class Releases:
    """Collected from a message's elements by `take`; small beside its recordings, of which only places are kept."""

    def __init__(self) -> None:
        self._parties: dict[str, str] = {}
        self._sender = ""
        self._releases: list[_Release] = []
        self._places: dict[str, tuple[int, int | None, int | None]] = {}  # reference -> release, disc, track

    def take(self, area: str, element: Element) -> None:
        """Take note of an element of one of the message's lists."""
        name = local(element)
        if area == "MessageHeader" and name == "MessageSender":
            self._sender = first(element, "PartyId") or ""
        elif area == "PartyList":
            reference, full_name = first(element, "PartyReference"), party_name(element)
            if reference and full_name:
                self._parties[reference] = full_name
        elif area == "ReleaseList" and name == "Release":
            self._release(element)

    def party(self, reference: str) -> str | None:
        return self._parties.get(reference)

    def placed(self, reference: str | None) -> dict[str, Any]:
        """The tags of the recording's release, and its place there."""
        if reference not in self._places:
            return {}
        number, disc, track = self._places[reference]
        return {**self._releases[number].tags, "disc_number": disc, "track_number": track}

    def ident_of(self, reference: str | None) -> str:
        """What names the recording's release in every delivery of it; else who sends the message."""
        number = self._places[reference][0] if reference in self._places else 0
        release = self._releases[number] if number < len(self._releases) else None
        return (release.ident if release else None) or self._sender

    def _release(self, element: Element) -> None:
        inner = details(element, "ReleaseDetailsByTerritory")
        kinds = [
            text_of(one)
            for place in (element, inner)
            if place is not None
            for one in children(place, "ReleaseType")
        ]
        if element.get("IsMainRelease") != "true" and "TrackRelease" in kinds:
            return  # ERN 3: a track that is for sale by itself
        places = [place for place in (element, inner) if place is not None]
        credit, _ = artists_of(element, inner, self)
        dates = [
            values.parse_date(text)
            for name in (
                "OriginalReleaseDate",
                "ReleaseDate",
                "GlobalOriginalReleaseDate",
                "GlobalReleaseDate",
            )
            for place in places
            if (text := first(place, name))
        ]
        several = any(first(place, "IsMultiArtistCompilation") == "true" for place in places)
        tags = {
            "album": title_of(element, inner),
            "album_artist": credit,
            "date": next(filter(None, dates), None),
            "genres": tuple(dict.fromkeys(
                text for place in places for name in ("Genre", "DisplayGenre") if (text := first(place, name, "GenreText"))
            )),
            "compilation": several or (credit or "").casefold() in _VARIOUS,
        }  # fmt: skip
        self._releases.append(_Release(_ident(element), tags))
        for place in places:
            for group in children(place, "ResourceGroup"):
                self._discs(group)
        for listed in children(element, "ReleaseResourceReferenceList", "ReleaseResourceReference"):
            self._place(listed, None, None)

    def _discs(self, group: Element) -> None:
        """The outermost group is the release: groups within it are discs, unless they part one into works or sides."""
        inner = children(group, "ResourceGroup")
        discs = [one for one in inner if one.get("ResourceGroupType") not in _WORKS]
        if discs and len(discs) == len(inner):
            for number, disc in enumerate(discs, 1):
                self._tracks(disc, _number(disc) or number)
        if not (discs and len(discs) == len(inner)) or children(group, "ResourceGroupContentItem"):
            self._tracks(group, _number(group), nested=not discs)

    def _tracks(self, group: Element, disc: int | None, *, nested: bool = True) -> None:
        parted = nested and bool(children(group, "ResourceGroup"))
        for place, item in enumerate(_items(group, nested), 1):
            reference = next(iter(children(item, "ReleaseResourceReference")), None)
            if reference is not None:
                # within works every one begins with 1 again
                self._place(reference, disc, place if parted else _number(item) or place)

    def _place(self, reference: Element, disc: int | None, track: int | None) -> None:
        if name := text_of(reference):
            self._places.setdefault(name, (len(self._releases) - 1, disc, track))


def _items(group: Element, nested: bool) -> list[Element]:
    """The resources of a group and of the groups in it, in order; covers and booklets are no tracks."""
    found = []
    for one in group:
        if local(one) == "ResourceGroupContentItem":
            references = children(one, "ReleaseResourceReference")
            if not any(ref.get("ReleaseResourceType") == "SecondaryResource" for ref in references):
                found.append(one)
        elif nested and local(one) == "ResourceGroup":
            found += _items(one, nested)
    return found


def _number(element: Element) -> int | None:
    text = first(element, "SequenceNumber")
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text[:9]) < 10_000 else None


def _ident(element: Element) -> str | None:
    holders = children(element, "ReleaseId")
    return next(
        (found for name in _IDS for holder in holders
         if holder.get("IsReplaced") != "true" and (found := first(holder, name))),
        None,
    )  # fmt: skip
