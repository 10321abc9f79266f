"""The official XML schema of DDEX: found below a path of the user's, read without the network."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from soulspot.errors import SchemaError

ROOT = "release-notification.xsd"
_NAMESPACE = re.compile(r"\{[^}]*\}")


class ErnSchema:
    """The schema of one version of ERN, parsed once for many messages."""

    def __init__(self, path: Path, namespace: str) -> None:
        """Parse the schema of `namespace` at `path`, a file or a folder. Raises SchemaError."""
        found = _find(path, namespace)
        folder = path if path.is_dir() else found.parent
        parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
        parser.resolvers.add(_FolderResolver(folder))
        try:
            self._schema = etree.XMLSchema(etree.parse(str(found), parser))
        except (etree.LxmlError, OSError) as error:
            words = str(error).partition("\n")[0]
            raise SchemaError(
                f"{found}: is no schema that can be used: {words}; the value sets that it imports "
                f"have to lie where it says, or below {folder}"
            ) from error

    def faults(self, message: bytes) -> list[tuple[str, str]]:
        """Return (element, words) for each fault of a message; nothing for a valid message."""
        document = etree.fromstring(message, etree.XMLParser(no_network=True, resolve_entities=False))
        if self._schema.validate(document):
            return []
        return [
            (
                PurePosixPath(entry.path or "").name.partition("[")[0] or "message",
                f"line {entry.line}: {_NAMESPACE.sub('', entry.message)}",
            )
            for entry in list(self._schema.error_log)  # type: ignore[call-overload]
        ]


def _find(path: Path, namespace: str) -> Path:
    """Return the schema file of `namespace`: `path` itself, or a file below that folder."""
    if not path.exists():
        raise SchemaError(f"{path}: there is no such file or folder")
    # The usual name first and the shortest path first: DDEX ships several schemas in one folder.
    candidates = sorted(path.rglob("*.xsd"), key=lambda one: (one.name != ROOT, len(one.parts), str(one)))
    others = set()
    for candidate in [path] if path.is_file() else candidates:
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
    try:
        events = etree.iterparse(str(path), events=("start",), no_network=True, resolve_entities=False)
        _, element = next(iter(events))
    except (etree.LxmlError, OSError, StopIteration):
        return None
    namespace: str | None = element.get("targetNamespace")
    return namespace


class _FolderResolver(etree.Resolver):
    """Resolves imports to the named file or one of its name below a folder, never to a URL."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        """Return the import for lxml; None leaves an existing file to lxml. Raises SchemaError."""
        if "://" not in system_url and Path(system_url).is_file():
            return None
        name = PurePosixPath(system_url).name
        near = [*sorted(self._folder.rglob(name)), self._folder.parent / name] if name else []
        for candidate in near:
            if candidate.is_file():
                return self.resolve_filename(str(candidate), context)  # type: ignore[attr-defined]
        raise SchemaError(f"{system_url}: is imported and is not there")
