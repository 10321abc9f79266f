"""MusicBrainz' answers as XML (mmd-2.0), made from the JSON answers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from soulspot.sandbox.servers.service import Json

_HEADER = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES = {"xmlns": "http://musicbrainz.org/ns/mmd-2.0#", "xmlns:ext": "http://musicbrainz.org/ns/ext#-2.0"}


def document(kind: str, value: Json) -> bytes:
    """Return the metadata document of a JSON answer; `kind` is that of an entity or of the hits."""
    root = Element("metadata", _NAMESPACES)
    if f"{kind}s" in value:
        _add_list(root, kind, value[f"{kind}s"], value.get("count"), value.get("offset"))
    elif kind == "isrc":
        isrc = SubElement(root, "isrc", id=value["isrc"])
        _add_list(isrc, "recording", value["recordings"])
    else:
        _add_entity(root, kind, value)
    return _HEADER + bytes(tostring(root, encoding="utf-8"))


def error(*lines: str) -> bytes:
    root = Element("error")
    for line in lines:
        _add_text(root, "text", line)
    return _HEADER + bytes(tostring(root, encoding="utf-8"))


def _add_list(
    parent: Element, kind: str, values: list[Json], count: int | None = None, offset: int | None = None
) -> None:
    """Add a `{kind}-list` of entities; `count` is of all, where these are one page."""
    listed = SubElement(parent, f"{kind}-list", count=str(len(values) if count is None else count))
    if offset is not None:
        listed.set("offset", str(offset))
    for value in values:
        _add_entity(listed, kind, value)


def _add_text(parent: Element, name: str, value: object) -> None:
    if value is not None and value != "":
        SubElement(parent, name).text = str(value)


def _add_entity(parent: Element, kind: str, value: Json) -> Element:
    """Add an element with the attributes of its kind and the children in `_CHILDREN`."""
    shown = SubElement(parent, kind, id=value["id"])
    if "score" in value:
        shown.set("ext:score", str(value["score"]))
    if kind == "artist" and value.get("type"):
        shown.set("type", value["type"])
    if kind == "recording" and value.get("video"):
        shown.set("video", "true")
    if kind == "release-group":
        shown.set("type", (value.get("secondary-types") or [value["primary-type"]])[0])
    for child in _CHILDREN[kind]:
        if isinstance(child, str):
            _add_text(shown, child, value.get(child))
        else:
            child(shown, value)
    return shown


def _add_credit(parent: Element, value: Json) -> None:
    if "artist-credit" not in value:
        return
    shown = SubElement(parent, "artist-credit")
    for part in value["artist-credit"]:
        named = SubElement(shown, "name-credit", {"joinphrase": part["joinphrase"]} if part.get("joinphrase") else {})
        # mmd-2.0 repeats the credited name only where it is not the artist's own.
        if part["name"] != part["artist"]["name"]:
            _add_text(named, "name", part["name"])
        _add_entity(named, "artist", part["artist"])


def _add_counted(parent: Element, kind: str, values: list[Json] | list[str]) -> Iterator[tuple[Element, Any]]:
    """Add a `{kind}-list` with its length, unless empty; yield it with each value to add."""
    if values:
        listed = SubElement(parent, f"{kind}-list", count=str(len(values)))
        yield from ((listed, value) for value in values)


def _add_aliases(parent: Element, value: Json) -> None:
    for listed, alias in _add_counted(parent, "alias", value.get("aliases", [])):
        SubElement(listed, "alias", {"sort-name": alias["sort-name"]}).text = alias["name"]


def _add_isrcs(parent: Element, value: Json) -> None:
    for listed, isrc in _add_counted(parent, "isrc", value.get("isrcs", [])):
        SubElement(listed, "isrc", id=isrc)


def _add_tags(parent: Element, value: Json) -> None:
    for plural, name in (("tags", "tag"), ("genres", "genre")):
        if value.get(plural):
            listed = SubElement(parent, f"{name}-list")
            for tag in value[plural]:
                attributes = {"count": str(tag["count"])} | ({"id": tag["id"]} if "id" in tag else {})
                _add_text(SubElement(listed, name, attributes), "name", tag["name"])


def _add_releases(parent: Element, value: Json) -> None:
    if "releases" in value:
        _add_list(parent, "release", value["releases"])


def _entity(kind: str) -> Callable[[Element, Json], None]:
    """Return a function that adds the entity of this kind, where the value has one."""

    def add(parent: Element, value: Json) -> None:
        if kind in value:
            _add_entity(parent, kind, value[kind])

    return add


def _add_secondary_types(parent: Element, value: Json) -> None:
    if value.get("secondary-types"):
        listed = SubElement(parent, "secondary-type-list")
        for name in value["secondary-types"]:
            _add_text(listed, "secondary-type", name)


def _add_labels(parent: Element, value: Json) -> None:
    for listed, info in _add_counted(parent, "label-info", value.get("label-info", [])):
        shown = SubElement(listed, "label-info")
        _add_text(shown, "catalog-number", info["catalog-number"])
        _add_entity(shown, "label", info["label"])


def _add_media(parent: Element, value: Json) -> None:
    if "media" not in value:
        return
    listed = SubElement(parent, "medium-list", count=str(len(value["media"])))
    _add_text(listed, "track-count", value.get("track-count"))
    for medium in value["media"]:
        shown = SubElement(listed, "medium")
        _add_text(shown, "position", medium.get("position"))
        _add_text(shown, "format", medium["format"])
        tracks = SubElement(shown, "track-list", count=str(medium["track-count"]))
        if "track-offset" in medium:
            tracks.set("offset", str(medium["track-offset"]))
        # a lookup calls the tracks of a medium "tracks", a hit calls its one track "track"
        for track in medium.get("tracks", medium.get("track", [])):
            _add_entity(tracks, "track", track)


def _add_relations(parent: Element, value: Json) -> None:
    # JSON mixes all targets in one list, XML has a list for each type.
    by_target: dict[str, list[Json]] = defaultdict(list)
    for relation in value.get("relations", []):
        by_target[relation["target-type"]].append(relation)
    for kind, relations in by_target.items():
        listed = SubElement(parent, "relation-list", {"target-type": kind})
        for relation in relations:
            shown = SubElement(listed, "relation", {"type": relation["type"], "type-id": relation["type-id"]})
            target = relation[kind]
            if kind == "url":
                SubElement(shown, "target", id=target["id"]).text = target["resource"]
            else:
                _add_text(shown, "target", target["id"])
                _add_text(shown, "direction", relation["direction"])
                _add_entity(shown, kind, target)


# The children of each kind of element, in order: a key of the JSON with text, or a function.
_CHILDREN: dict[str, Iterable[str | Callable[[Element, Json], None]]] = {
    "artist": ("name", "sort-name", "country", "disambiguation", _add_aliases),
    "recording": (
        *("title", "length", "disambiguation", _add_credit, "first-release-date", _add_releases),
        *(_add_isrcs, _add_aliases, _add_tags, _add_relations),
    ),
    "release": (
        *("title", "status", "disambiguation", _add_credit, _entity("release-group"), "date", "country"),
        *("barcode", _add_labels, _add_media, _add_tags, _add_relations),
    ),
    "release-group": ("title", "first-release-date", "primary-type", _add_secondary_types),
    "label": ("name",),
    "track": ("position", "number", "title", "length", _add_credit, _entity("recording")),
    "url": ("resource", _add_relations),
}
