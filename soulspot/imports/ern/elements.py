"""What the elements of a release message say of one recording: titles, artists, lengths, ISRCs; pure.

ERN 4 has `DisplayTitle`, `DisplayArtistName` and references to parties; ERN 3 has `ReferenceTitle`, and titles and
artists with their names in `SoundRecordingDetailsByTerritory`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from lxml import etree

from soulspot.imports.rows import malformed_words
from soulspot.library import identifiers, values
from soulspot.models import Identifiers, TrackTags

Element = etree._Element
_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_VERSIONS = {
    "ACappellaVersion": "a cappella", "CleanVersion": "clean", "DemoVersion": "demo", "InstrumentalVersion": "instrumental",
    "KaraokeVersion": "karaoke", "LiveVersion": "live", "RadioVersion": "radio", "RemixVersion": "remix",
    "SessionVersion": "session",
}  # fmt: skip
_FEATURED, _COMPOSER = "FeaturedArtist", "Composer"
_WORLD = "Worldwide"


class Known(Protocol):
    """What is known of a message besides its recordings."""

    def party(self, reference: str) -> str | None: ...

    def placed(self, reference: str | None) -> dict[str, Any]: ...


def local(element: Element) -> str:
    """The element's name without its namespace; nothing for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: Element, *path: str) -> list[Element]:
    """The elements at this path of local names."""
    found = [element]
    for name in path:
        found = [child for one in found for child in one if local(child) == name]
    return found


def text_of(element: Element | None) -> str | None:
    """Its text with blanks as one, or None."""
    if element is None:
        return None
    return values.clean_text(" ".join("".join(str(part) for part in element.itertext()).split())) or None


def first(element: Element, *path: str) -> str | None:
    return next((found for one in children(element, *path) if (found := text_of(one))), None)


def preferred(found: Sequence[Element]) -> Element | None:
    """Of one thing in several languages or territories, the one that is the default, else worldwide, else first."""

    def rank(element: Element) -> tuple[bool, bool]:
        territory = element.get("ApplicableTerritoryCode") or _WORLD
        return (element.get("IsDefault") != "true", territory != _WORLD)

    return min(found, key=rank, default=None)


def details(element: Element, name: str) -> Element | None:
    """ERN 3: the details by territory, those for the world, else the first."""
    found = children(element, name)
    return next(
        (one for one in found if _WORLD in map(text_of, children(one, "TerritoryCode"))),
        found[0] if found else None,
    )


def title_of(element: Element, inner: Element | None) -> str | None:
    """The title as it is displayed, with its subtitle, which mostly names the version."""
    shown = preferred(children(element, "DisplayTitle"))
    if shown is None and inner is not None:
        titles = children(inner, "Title")
        displayed = [one for one in titles if one.get("TitleType") == "DisplayTitle"]
        shown = preferred(displayed or titles)
    if shown is None:
        shown = next(iter(children(element, "ReferenceTitle")), None)
    title = _composed(shown) if shown is not None else None
    if title is None:
        title = text_of(preferred(children(element, "DisplayTitleText")))
    kinds = [
        text_of(one)
        for place in (element, inner)
        if place is not None
        for one in children(place, "VersionType")
    ]
    for word in (_VERSIONS[kind] for kind in kinds if kind in _VERSIONS):
        if title and word not in title.casefold():
            title = f"{title} ({word})"
    return title


def _composed(element: Element) -> str | None:
    title = first(element, "TitleText")
    for subtitle in filter(None, map(text_of, children(element, "SubTitle"))):
        if title and subtitle.casefold() not in title.casefold():
            title = f"{title} {subtitle}" if subtitle.startswith(("(", "[")) else f"{title} ({subtitle})"
    return title


def artists_of(element: Element, inner: Element | None, known: Known) -> tuple[str | None, tuple[str, ...]]:
    """The credit as it is displayed, and the names in it."""
    places = [place for place in (element, inner) if place is not None]
    listed = [one for place in places for one in children(place, "DisplayArtist")]
    listed.sort(key=lambda one: _sequence(one.get("SequenceNumber")))
    named: dict[str, str] = {}
    for one in listed:
        role = first(one, "DisplayArtistRole") or first(one, "ArtistRole") or ""
        if name := _name_of(one, known):
            named.setdefault(name, role)
    performers = [name for name, role in named.items() if role != _COMPOSER] or list(named)
    shown = text_of(preferred([one for place in places for one in children(place, "DisplayArtistName")]))
    if shown is None and performers:
        featured = [name for name in performers if named[name] == _FEATURED]
        main = [name for name in performers if named[name] != _FEATURED]
        shown = " feat. ".join(filter(None, (", ".join(main), ", ".join(featured))))
    return shown or None, tuple(performers)


def _name_of(artist: Element, known: Known) -> str | None:
    if reference := first(artist, "ArtistPartyReference"):
        return known.party(reference)
    return party_name(artist)


def party_name(element: Element) -> str | None:
    """The full name of a party: the default, else the first."""
    found = preferred(children(element, "PartyName"))
    return first(found, "FullName") if found is not None else None


def recording_of(element: Element, known: Known) -> tuple[str | None, TrackTags, tuple[str, ...]]:
    """A sound recording's reference within the message, what it says, and remarks about what is of no use."""
    inner = details(element, "SoundRecordingDetailsByTerritory")
    reference = first(element, "ResourceReference")
    credit, names = artists_of(element, inner, known)
    malformed: list[str] = []
    isrcs = identifiers.parse_isrcs(_isrcs(element), "isrc", malformed)
    written = first(element, "Duration") or (first(inner, "Duration") if inner is not None else None)
    length = milliseconds(written)
    tags = TrackTags(
        title=title_of(element, inner),
        artist=credit,
        artists=names if len(names) > 1 else (),
        duration_ms=length,
        ids=Identifiers(isrcs=isrcs, malformed=tuple(malformed)),
        **known.placed(reference),
    )
    unusable = (
        [f"Duration {written[:100]!r} is not a length such as PT3M25S"]
        if written and not _LENGTH.fullmatch(written)
        else []
    )
    return reference, tags, (*malformed_words(malformed), *unusable)


def milliseconds(duration: str | None) -> int | None:
    """Of an ISO 8601 duration; None for none, for nothing, and for what is not one."""
    match = _LENGTH.fullmatch(duration or "")
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return values.seconds_to_ms(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _sequence(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 1 << 30


def _isrcs(element: Element) -> Iterator[str]:
    """ERN 4.3 has them by edition, earlier ones by the resource; ids that were replaced are those of other times."""
    paths: Iterable[tuple[str, ...]] = (
        ("SoundRecordingEdition", "ResourceId"), ("ResourceId",), ("SoundRecordingId",),
    )  # fmt: skip
    for path in paths:
        for holder in children(element, *path):
            if holder.get("IsReplaced") != "true":
                yield from filter(None, map(text_of, children(holder, "ISRC")))
