"""The official schema that a user points to: found, read without the network, and asked whether a message is valid."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from soulspot.errors import SchemaError

ROOT = "release-notification.xsd"
_NAMESPACE = re.compile(r"\{[^}]*\}")


class ErnSchema:
    """The schema of one version of ERN, parsed once and asked often. `path` is a file, or a folder with the file."""

    def __init__(self, path: Path, namespace: str) -> None:
        """Raises SchemaError."""
        found = _find(path, namespace)
        folder = path if path.is_dir() else found.parent
        try:
            self._schema = etree.XMLSchema(etree.parse(str(found), _parser(folder)))
        except (etree.LxmlError, OSError) as error:
            words = str(error).partition("\n")[0]
            raise SchemaError(
                f"{found}: is no schema that can be used: {words}; the value sets that it imports "
                f"have to lie where it says, or below {folder}"
            ) from error

    def faults(self, message: bytes) -> list[tuple[str, str]]:
        """What the schema says against a message: (element, words) each; nothing when it is valid."""
        document = etree.fromstring(message, etree.XMLParser(no_network=True, resolve_entities=False))
        if self._schema.validate(document):
            return []
        return [
            (
                _last(getattr(entry, "path", None) or ""),
                f"line {entry.line}: {_NAMESPACE.sub('', entry.message)}",
            )
            for entry in list(self._schema.error_log)  # type: ignore[call-overload]
        ]


def _last(path: str) -> str:
    return PurePosixPath(path).name.partition("[")[0] or "message"


def _find(path: Path, namespace: str) -> Path:
    """The file at `path`, or below that folder, that is the schema of `namespace`."""
    if not path.exists():
        raise SchemaError(f"{path}: there is no such file or folder")
    candidates = sorted(path.rglob("*.xsd"), key=lambda one: (one.name != ROOT, len(one.parts), str(one)))
    if path.is_file():
        candidates = [path]
    others = set()
    for candidate in candidates:
        target = _target(candidate)
        if target == namespace:
            return candidate
        if target and "/ern/" in target:
            others.add(target)
    if others:
        raise SchemaError(
            f"{path}: is for {', '.join(sorted(others))} and not for {namespace}; export.ddex.version says which is written"
        )
    raise SchemaError(f"{path}: holds no schema of {namespace}; DDEX publishes it as {ROOT}")


def _target(path: Path) -> str | None:
    """The namespace that a schema is for, from its first element alone."""
    try:
        for _, element in etree.iterparse(
            str(path), events=("start",), no_network=True, resolve_entities=False
        ):
            found: str | None = element.get("targetNamespace")
            return found
    except (etree.LxmlError, OSError):
        return None
    return None


def _parser(folder: Path) -> Any:
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_Below(folder))
    return parser


class _Below(etree.Resolver):
    """Finds what a schema imports: where it says, when that is a file; else by its name below the folder.

    What is nowhere is an error: nothing is fetched, whatever the schema says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        if "://" not in system_url and Path(system_url).is_file():
            return None  # the usual way
        name = PurePosixPath(system_url).name
        near = [*sorted(self._folder.rglob(name)), self._folder.parent / name] if name else []
        for place in near:
            if place.is_file():
                return self.resolve_filename(str(place), context)  # type: ignore[attr-defined]
        raise SchemaError(f"{system_url}: is imported and is not there")
