"""Options and arguments that several commands share, and the checks of the paths they are given."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from soulspot.cli.running import refuse
from soulspot.text import as_on_disk


def parse_path(text: str) -> Path:
    """Return a path of the command line as a `Path`, spelled as on the disk.

    An empty one is refused: `Path("")` is the current folder, which nobody means by ""."""
    if not text:
        raise typer.BadParameter("a path cannot be empty; say . for the current folder")
    return Path(os.fsdecode(as_on_disk(os.fsencode(text))))


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
