"""MusicBrainz' answers as XML (mmd-2.0), made from the JSON ones: for clients that do not ask for JSON."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

Json = dict[str, Any]
_HEADER = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES = {
    "xmlns": "http://musicbrainz.org/ns/mmd-2.0#",
    "xmlns:ext": "http://musicbrainz.org/ns/ext#-2.0",
}


def document(kind: str, value: Json) -> bytes:
    """The metadata document of an entity ("recording", "release", "url", "isrc") or of a list of hits."""
    root = Element("metadata", _NAMESPACES)
    if f"{kind}s" in value:
        _list(root, kind, value[f"{kind}s"], value.get("count"), value.get("offset"))
    elif kind == "isrc":
        isrc = SubElement(root, "isrc", id=value["isrc"])
        _list(isrc, "recording", value["recordings"], len(value["recordings"]), None)
    else:
        _ENTITIES[kind](root, value)
    return _HEADER + bytes(tostring(root, encoding="utf-8"))


def error(message: str) -> bytes:
    """The error document."""
    root = Element("error")
    _text(root, "text", message)
    _text(root, "text", "For usage, please see: https://musicbrainz.org/development/mmd")
    return _HEADER + bytes(tostring(root, encoding="utf-8"))


def _list(parent: Element, kind: str, values: list[Json], count: int | None, offset: int | None) -> None:
    attributes = {"count": str(len(values) if count is None else count)}
    if offset is not None:
        attributes["offset"] = str(offset)
    listed = SubElement(parent, f"{kind}-list", attributes)
    for value in values:
        _ENTITIES[kind](listed, value)


def _text(parent: Element, name: str, value: object) -> None:
    """A child element, when there is something to say."""
    if value is not None and value != "":
        SubElement(parent, name).text = str(value)


def _entity(parent: Element, name: str, value: Json) -> Element:
    attributes = {"id": value["id"]}
    if "score" in value:
        attributes["ext:score"] = str(value["score"])
    return SubElement(parent, name, attributes)


def _credit(parent: Element, value: Json) -> None:
    if "artist-credit" not in value:
        return
    shown = SubElement(parent, "artist-credit")
    for part in value["artist-credit"]:
        join = {"joinphrase": part["joinphrase"]} if part.get("joinphrase") else {}
        named = SubElement(shown, "name-credit", join)
        if part["name"] != part["artist"]["name"]:
            _text(named, "name", part["name"])
        _artist(named, part["artist"])


def _artist(parent: Element, value: Json) -> None:
    shown = _entity(parent, "artist", value)
    if value.get("type"):
        shown.set("type", value["type"])
    _text(shown, "name", value["name"])
    _text(shown, "sort-name", value["sort-name"])
    _text(shown, "country", value.get("country"))
    _text(shown, "disambiguation", value.get("disambiguation"))
    _aliases(shown, value)


def _aliases(parent: Element, value: Json) -> None:
    if value.get("aliases"):
        listed = SubElement(parent, "alias-list", count=str(len(value["aliases"])))
        for alias in value["aliases"]:
            SubElement(listed, "alias", {"sort-name": alias["sort-name"]}).text = alias["name"]


def _tags(parent: Element, value: Json) -> None:
    for plural, name in (("tags", "tag"), ("genres", "genre")):
        if value.get(plural):
            listed = SubElement(parent, f"{name}-list")
            for tag in value[plural]:
                attributes = {"count": str(tag["count"])} | ({"id": tag["id"]} if "id" in tag else {})
                _text(SubElement(listed, name, attributes), "name", tag["name"])


def _recording(parent: Element, value: Json) -> None:
    shown = _entity(parent, "recording", value)
    if value.get("video"):
        shown.set("video", "true")
    _text(shown, "title", value["title"])
    _text(shown, "length", value.get("length"))
    _text(shown, "disambiguation", value.get("disambiguation"))
    _credit(shown, value)
    _text(shown, "first-release-date", value.get("first-release-date"))
    if "releases" in value:
        hits = any("count" in release for release in value["releases"])
        _list(shown, "release", value["releases"], None if not hits else len(value["releases"]), None)
    if value.get("isrcs"):
        listed = SubElement(shown, "isrc-list", count=str(len(value["isrcs"])))
        for isrc in value["isrcs"]:
            SubElement(listed, "isrc", id=isrc)
    _aliases(shown, value)
    _tags(shown, value)
    _relations(shown, value)


def _release(parent: Element, value: Json) -> None:
    shown = _entity(parent, "release", value)
    _text(shown, "title", value["title"])
    _text(shown, "status", value.get("status"))
    _text(shown, "disambiguation", value.get("disambiguation"))
    _credit(shown, value)
    if group := value.get("release-group"):
        kind = (group.get("secondary-types") or [group["primary-type"]])[0]
        grouped = SubElement(shown, "release-group", id=group["id"], type=kind)
        _text(grouped, "title", group.get("title"))
        _text(grouped, "first-release-date", group.get("first-release-date"))
        _text(grouped, "primary-type", group["primary-type"])
        if group.get("secondary-types"):
            listed = SubElement(grouped, "secondary-type-list")
            for name in group["secondary-types"]:
                _text(listed, "secondary-type", name)
    _text(shown, "date", value.get("date"))
    _text(shown, "country", value.get("country"))
    _text(shown, "barcode", value.get("barcode"))
    _labels(shown, value)
    if "media" in value:
        _media(shown, value)
    _tags(shown, value)
    _relations(shown, value)


def _labels(parent: Element, value: Json) -> None:
    if value.get("label-info"):
        listed = SubElement(parent, "label-info-list", count=str(len(value["label-info"])))
        for info in value["label-info"]:
            shown = SubElement(listed, "label-info")
            _text(shown, "catalog-number", info["catalog-number"])
            _text(SubElement(shown, "label", id=info["label"]["id"]), "name", info["label"]["name"])


def _media(parent: Element, value: Json) -> None:
    listed = SubElement(parent, "medium-list", count=str(len(value["media"])))
    _text(listed, "track-count", value.get("track-count"))
    for medium in value["media"]:
        shown = SubElement(listed, "medium")
        _text(shown, "position", medium.get("position"))
        _text(shown, "format", medium["format"])
        attributes = {"count": str(medium["track-count"])}
        if "track-offset" in medium:
            attributes["offset"] = str(medium["track-offset"])
        tracks = SubElement(shown, "track-list", attributes)
        for track in medium.get("tracks", medium.get("track", [])):
            entry = SubElement(tracks, "track", id=track["id"])
            _text(entry, "position", track.get("position"))
            _text(entry, "number", track["number"])
            _text(entry, "title", track["title"])
            _text(entry, "length", track.get("length"))
            _credit(entry, track)
            if "recording" in track:
                _recording(entry, track["recording"])


def _relations(parent: Element, value: Json) -> None:
    by_target: dict[str, list[Json]] = {}
    for relation in value.get("relations", []):
        by_target.setdefault(relation["target-type"], []).append(relation)
    for target, relations in by_target.items():
        listed = SubElement(parent, "relation-list", {"target-type": target})
        for relation in relations:
            shown = SubElement(listed, "relation", {"type": relation["type"], "type-id": relation["type-id"]})
            if target == "url":
                SubElement(shown, "target", id=relation["url"]["id"]).text = relation["url"]["resource"]
            else:
                _text(shown, "target", relation[target]["id"])
                _text(shown, "direction", relation["direction"])
                _ENTITIES[target](shown, relation[target])


def _url(parent: Element, value: Json) -> None:
    shown = _entity(parent, "url", value)
    _text(shown, "resource", value["resource"])
    _relations(shown, value)


_ENTITIES = {"recording": _recording, "release": _release, "artist": _artist, "url": _url}
