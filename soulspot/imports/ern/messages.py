"""The rows of a DDEX release message (ERN 3.8 and 4): one for every sound recording.

A message is read twice: first its parties and releases, which say where a recording stands, then
its recordings, one in memory at a time. Elements are found by their local names, because every
version has a namespace of its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, BinaryIO

from lxml import etree

from soulspot.imports.ern.elements import Element, local_name
from soulspot.imports.ern.releases import Releases
from soulspot.imports.records import FileStopped
from soulspot.imports.rows import BadRow, ImportRow

# A recording or release with more elements belongs to no real message, and is not held in memory.
MOST_ELEMENTS = 200_000
_RESOURCES, _RELEASES = "ResourceList", "ReleaseList"
_OTHER_MESSAGES = {
    "PurgeReleaseMessage": "it withdraws a release, and holds no recordings; nothing is imported or removed",
    "CatalogListMessage": "it lists a catalogue, and holds no recordings",
    "ManifestMessage": "it lists the files of a delivery, and holds no recordings",
}


def read_message(open_file: Callable[[], BinaryIO]) -> Iterator[ImportRow | BadRow]:
    """Yield the sound recordings of one message, in its order. `open_file` opens the file at its
    beginning. Raises FileStopped for no release message, and where a damaged one breaks off."""
    releases = Releases()
    for list_name, element in _elements(open_file, _RELEASES):
        releases.add(list_name, element)
    seen_keys: set[str] = set()
    count = 0
    for list_name, element in _elements(open_file, _RESOURCES):
        if list_name == _RESOURCES and local_name(element) == "SoundRecording":
            count += 1
            yield _row(element, releases, seen_keys)
    if not count:
        yield BadRow(1, "the message holds no sound recording")


def _elements(open_file: Callable[[], BinaryIO], last_list: str) -> Iterator[tuple[str, Element]]:
    """Yield (name of the list, element) for the children of the message's lists. Ends behind the
    list `last_list`. An element is emptied before the next one is read."""
    with closing(open_file()) as file:
        reading = etree.iterparse(
            file, events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
            huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        depth = inside = 0
        list_name = ""
        try:
            for event, element in reading:
                if event == "start":
                    depth += 1
                    if depth == 1:
                        _refuse_other_documents(element)
                    elif depth == 2:
                        list_name = local_name(element)
                    inside = 0 if depth <= 3 else inside + 1
                    if inside > MOST_ELEMENTS:
                        words = f"a {list_name[:40]} holds an entry of over {inside - 1} elements"
                        raise FileStopped(_line(element), words)
                    continue
                depth -= 1
                if depth == 2:
                    yield list_name, element
                    _forget(element)
                elif depth == 1:
                    _forget(element)
                    if list_name == last_list:
                        return
        except etree.XMLSyntaxError as error:
            words = (error.msg or "cannot be parsed").partition(", line")[0]
            raise FileStopped(error.lineno or 1, f"not XML from here on: {words}") from error


def _refuse_other_documents(root: Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise FileStopped(1, "it has a DOCTYPE, which no release message has and which may hide other files")
    if (name := local_name(root)) != "NewReleaseMessage":
        hint = _OTHER_MESSAGES.get(name, "only NewReleaseMessages of DDEX ERN can be imported")
        raise FileStopped(_line(root), f"is no release message but a {name[:60]}: {hint}")


def _forget(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    # lxml keeps emptied siblings until their parent lets go of them.
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _line(element: Element) -> int:
    line: Any = element.sourceline
    return line or 1


def _row(element: Element, releases: Releases, seen_keys: set[str]) -> ImportRow | BadRow:
    reference, tags, remarks = releases.describe_recording(element)
    line = _line(element)
    ids = tags.ids
    if not (tags.title or ids.isrcs or ids.malformed):
        return BadRow(line, f"sound recording {reference or '?'} has neither a title nor an ISRC")
    name = ids.isrcs[0] if ids.isrcs else reference
    if name is None:
        return ImportRow(line, None, tags, remarks)
    key = f"ern:{releases.stable_id(reference)}:{name}"
    # Two recordings of one message may have the same ISRC.
    if key in seen_keys:
        key = f"{key}:{reference}"
    seen_keys.add(key)
    return ImportRow(line, key, tags, remarks)
