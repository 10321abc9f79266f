"""Options and arguments that several commands share, and the checks of the paths they are given."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import typer

from soulspot.cli.running import refuse


def parse_path(text: str) -> Path:
    """Return a path of the command line as a `Path`.

    An empty one is refused: `Path("")` is the current folder, which nobody means by ""."""
    if not text:
        raise typer.BadParameter("a path cannot be empty; say . for the current folder")
    return _as_on_disk(Path(text))


def _as_on_disk(path: Path) -> Path:
    """Return the path with the accents of its names composed as the disk has them.

    A keyboard types "é" as one character, and files from a Mac have it as two."""
    if not path.parts or os.path.lexists(path) or str(path).isascii():
        return path
    found = Path(path.anchor)
    for name in path.parts[1:] if path.anchor else path.parts:
        found /= name if os.path.lexists(found / name) else _same_name_in(found, name)
    return found if os.path.lexists(found) else path


def _same_name_in(folder: Path, name: str) -> str:
    wanted = normalize("NFC", name)
    try:
        return next((one for one in os.listdir(folder) if normalize("NFC", one) == wanted), name)
    except OSError:
        return name


ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", metavar="PATH", parser=parse_path,
    help="The config.toml to use (default: SOULSPOT_CONFIG, else the first found of ./config.toml, "
    "~/.config/soulspot/config.toml and /etc/soulspot/config.toml).")]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout, and nothing else there.")]
PathsArgument = Annotated[list[Path] | None, typer.Argument(metavar="PATH", parser=parse_path,
    help="Files or folders (default: library.paths).")]  # fmt: skip


def refuse_missing(paths: Sequence[Path]) -> None:
    """Exit with code 2, naming every path, when one of `paths` does not exist."""
    # `Path()` is what a wrapper passes on for "": lexists would find the current folder
    missing = [path for path in paths if path == Path() or not os.path.lexists(path)]
    if missing:
        refuse(*(f"{path}: there is no such file or folder" for path in missing))


def absolute_paths(paths: Sequence[Path] | None) -> list[bytes]:
    """Return paths as bytes, absolute, with symbolic links kept."""
    return [os.path.abspath(os.fsencode(path)) for path in paths or ()]
