"""Reads DDEX release messages (ERN 3.8 and 4): every sound recording of a message is a track without a file.

A message is read twice: first its parties and releases, which say where a recording stands, then its recordings, one
in memory at a time. Elements go by their local names: every version has a namespace of its own."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, BinaryIO

from lxml import etree

from soulspot.imports.ern.elements import Element, local, recording_of
from soulspot.imports.ern.releases import Releases
from soulspot.imports.rows import BadRow, ImportRow

MOST_ELEMENTS = 200_000  # within one recording or release: what has more is no message, and is not held
_PARTIES, _RESOURCES, _RELEASES = "PartyList", "ResourceList", "ReleaseList"
_OTHERS = {
    "PurgeReleaseMessage": "it withdraws a release, and holds no recordings; nothing is imported or removed",
    "CatalogListMessage": "it lists a catalogue, and holds no recordings",
    "ManifestMessage": "it lists the files of a delivery, and holds no recordings",
}
Open = Callable[[], BinaryIO]


class Unreadable(ValueError):
    """A file that is no release message, or not from here on; `line` is where."""

    def __init__(self, line: int, words: str) -> None:
        self.line = line
        super().__init__(words)


class ErnRows:
    """The recordings of one message, in its order. Iterating again reads it again.

    `open_` gives the file from its beginning. What is no message is one BadRow; so is where a damaged one breaks off."""

    unknown_columns: tuple[str, ...] = ()

    def __init__(self, open_: Open) -> None:
        self._open = open_

    def __iter__(self) -> Iterator[ImportRow | BadRow]:
        found = 0
        try:
            releases = Releases()
            for area, element in self._elements():
                releases.take(area, element)
            seen: set[str] = set()
            for area, element in self._elements(_RESOURCES):
                if area == _RESOURCES and local(element) == "SoundRecording":
                    found += 1
                    yield _row(element, releases, seen)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield BadRow(1, f"the compressed file is damaged ({error})", ends=not found)
        except Unreadable as error:
            yield BadRow(error.line, str(error), ends=not found)
        else:
            if not found:
                yield BadRow(1, "the message holds no sound recording")

    def _elements(self, until: str = _RELEASES) -> Iterator[tuple[str, Element]]:
        """The children of the message's lists, each with the name of its list; each is forgotten afterwards.

        Raises Unreadable. Ends behind the list `until`."""
        with closing(self._open()) as file:
            reading = etree.iterparse(
                file, events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
                huge_tree=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            depth = inside = 0
            area = ""
            try:
                for event, element in reading:
                    if event == "start":
                        depth += 1
                        if depth == 1:
                            _refuse_other(element)
                        elif depth == 2:
                            area = local(element)
                        inside = 0 if depth <= 3 else inside + 1
                        if inside > MOST_ELEMENTS:
                            raise Unreadable(
                                _line(element), f"a {area[:40]} holds an entry of over {inside - 1} elements"
                            )
                        continue
                    depth -= 1
                    if depth == 2:
                        yield area, element
                        _forget(element)
                    elif depth == 1:
                        _forget(element)
                        if area == until:
                            return
            except etree.XMLSyntaxError as error:
                words = (error.msg or "cannot be parsed").partition(", line")[0]
                raise Unreadable(error.lineno or 1, f"not XML from here on: {words}") from error


def _refuse_other(root: Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(1, "it has a DOCTYPE, which no release message has and which may hide other files")
    if (name := local(root)) != "NewReleaseMessage":
        told = _OTHERS.get(name, "only NewReleaseMessages of DDEX ERN can be imported")
        raise Unreadable(_line(root), f"is no release message but a {name[:60]}: {told}")


def _forget(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _line(element: Element) -> int:
    line: Any = element.sourceline
    return line or 1


def _row(element: Element, releases: Releases, seen: set[str]) -> ImportRow | BadRow:
    reference, tags, remarks = recording_of(element, releases)
    line = _line(element)
    ids = tags.ids
    if not (tags.title or ids.isrcs or ids.malformed):
        return BadRow(line, f"sound recording {reference or '?'} has neither a title nor an ISRC")
    name = ids.isrcs[0] if ids.isrcs else reference
    if name is None:
        return ImportRow(line, None, tags, remarks)
    key = f"ern:{releases.ident_of(reference)}:{name}"
    if key in seen:  # an ISRC that two recordings of one message bear
        key = f"{key}:{reference}"
    seen.add(key)
    return ImportRow(line, key, tags, remarks)
