"""Elements of a release message read as text: titles, artists and names of parties; pure.

ERN 4 has `DisplayTitle`, `DisplayArtistName` and references to parties. ERN 3 has `ReferenceTitle`,
and keeps titles and artists in details by territory. A recording or release is therefore passed on
as its `parts`: the element, and with ERN 3 the details inside it."""

from collections.abc import Mapping, Sequence

from lxml import etree

from soulspot.library import values

Element = etree._Element
_VERSIONS = {
    "ACappellaVersion": "a cappella", "CleanVersion": "clean", "DemoVersion": "demo", "InstrumentalVersion": "instrumental",
    "KaraokeVersion": "karaoke", "LiveVersion": "live", "RadioVersion": "radio", "RemixVersion": "remix",
    "SessionVersion": "session",
}  # fmt: skip
_FEATURED, _COMPOSER = "FeaturedArtist", "Composer"
_WORLD = "Worldwide"


def local_name(element: Element) -> str:
    """Return the element's name without its namespace; "" for a comment or the like."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: Element, *path: str) -> list[Element]:
    """Return the descendants at a path of local names: ("A", "B") finds every B in every A."""
    found = [element]
    for name in path:
        found = [child for parent in found for child in parent if local_name(child) == name]
    return found


def text_of(element: Element | None) -> str | None:
    """Return the element's text with each run of blanks as one; None for no element or no text."""
    if element is None:
        return None
    return values.clean_text(" ".join("".join(str(part) for part in element.itertext()).split())) or None


def first_text(element: Element, *path: str) -> str | None:
    """Return the first text at this path of local names; None when there is no text."""
    return next((text for found in children(element, *path) if (text := text_of(found))), None)


def preferred(elements: Sequence[Element]) -> Element | None:
    """Return the default of elements by language or territory, else the worldwide, or the first."""

    def rank(element: Element) -> tuple[bool, bool]:
        territory = element.get("ApplicableTerritoryCode") or _WORLD
        return (element.get("IsDefault") != "true", territory != _WORLD)

    return min(elements, key=rank, default=None)


def with_details(element: Element, name: str) -> list[Element]:
    """Return the element and, for ERN 3, its details `name` for the world or a first territory."""
    found = children(element, name)
    world = (part for part in found if _WORLD in map(text_of, children(part, "TerritoryCode")))
    return [element, *([next(world, found[0])] if found else [])]


def title_of(parts: Sequence[Element]) -> str | None:
    """Return the displayed title of a recording or release with its subtitle (mostly a version)."""
    titles = [title for part in parts[1:] for title in children(part, "Title")]
    displayed = [title for title in titles if title.get("TitleType") == "DisplayTitle"]
    element = preferred(children(parts[0], "DisplayTitle"))
    if element is None:
        element = preferred(displayed or titles or children(parts[0], "ReferenceTitle")[:1])
    title = _with_subtitles(element) if element is not None else None
    if title is None:
        title = text_of(preferred(children(parts[0], "DisplayTitleText")))
    kinds = [text_of(kind) for part in parts for kind in children(part, "VersionType")]
    for word in (_VERSIONS[kind] for kind in kinds if kind in _VERSIONS):
        if title and word not in title.casefold():
            title = f"{title} ({word})"
    return title


def _with_subtitles(element: Element) -> str | None:
    title = first_text(element, "TitleText")
    for subtitle in filter(None, map(text_of, children(element, "SubTitle"))):
        if title and subtitle.casefold() not in title.casefold():
            title = f"{title} {subtitle}" if subtitle.startswith(("(", "[")) else f"{title} ({subtitle})"
    return title


def artists_of(parts: Sequence[Element], parties: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    """Return the displayed artist credit, and the names in it. `parties` has the full names of the
    message's parties by reference. Without a displayed credit it is "Main, Other feat. Guest"."""
    listed = [artist for part in parts for artist in children(part, "DisplayArtist")]
    listed.sort(key=lambda artist: _sequence_of(artist.get("SequenceNumber")))
    roles: dict[str, str] = {}
    for artist in listed:
        role = first_text(artist, "DisplayArtistRole") or first_text(artist, "ArtistRole") or ""
        reference = first_text(artist, "ArtistPartyReference")
        if name := parties.get(reference) if reference else party_name(artist):
            roles.setdefault(name, role)
    performers = [name for name, role in roles.items() if role != _COMPOSER] or list(roles)
    credit = text_of(preferred([name for part in parts for name in children(part, "DisplayArtistName")]))
    if credit is None and performers:
        featured = [name for name in performers if roles[name] == _FEATURED]
        main = [name for name in performers if roles[name] != _FEATURED]
        credit = " feat. ".join(filter(None, (", ".join(main), ", ".join(featured))))
    return credit or None, tuple(performers)


def party_name(element: Element) -> str | None:
    name = preferred(children(element, "PartyName"))
    return first_text(name, "FullName") if name is not None else None


def _sequence_of(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 1 << 30
