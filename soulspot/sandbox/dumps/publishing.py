"""Dumps in the folders in which data.metabrainz.org publishes them, and the command for it.

fullexport/LATEST, fullexport/20261125-001234/{mbdump...,MD5SUMS,SHA256SUMS}
canonical_data/LATEST, canonical_data/musicbrainz-canonical-dump-.../{...,MD5SUMS,SHA256SUMS}"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from soulspot.sandbox.catalogue.invent import invent_catalogue
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.dumps.canonical import NAME, write_canonical_dump
from soulspot.sandbox.dumps.core import write_core_dump

FULL_EXPORT = "20261125-001234"


def publish_dumps(
    catalogue: Catalogue, folder: Path, *, further: int = 0, seed: int = 0, level: int = 9,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Write both dumps with their sums into the folder; return the paths of the archives."""
    core, canonical = folder / "fullexport" / FULL_EXPORT, folder / "canonical_data" / NAME
    archives = [
        *write_core_dump(catalogue, core, level=level, further=further, seed=seed, progress=progress),
        write_canonical_dump(catalogue, canonical),
    ]
    for place in (core, canonical):
        for name, algorithm in (("MD5SUMS", "md5"), ("SHA256SUMS", "sha256")):
            sums = [f"{_sum(one, algorithm)} *{one.name}\n" for one in archives if one.parent == place]
            (place / name).write_text("".join(sums), encoding="ascii")
        # named last, so that whoever follows the name finds everything
        (place.parent / "LATEST").write_text(f"{place.name}\n", encoding="ascii")
    return archives


def _sum(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def run_command(arguments: Sequence[str]) -> int:
    """Run `python -m soulspot.sandbox dumps` with these arguments; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m soulspot.sandbox dumps",
        description="Write dumps of the invented catalogue in the form and the folders of data.metabrainz.org.",
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for fullexport/ and canonical_data/")
    add("--tracks", type=int, default=1000, help="size of the invented catalogue (1000)")
    add("--seed", type=int, default=1, help="seed of the catalogue and of the further recordings (1)")
    add(
        "--further", type=int, default=0, help="number of made-up recordings beside the catalogue, in the core dump (0)"
    )
    add("--level", type=int, default=9, choices=range(10),
        help="bzip2 level; 0 writes plain tar archives in its place (9)")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.further < 0:
        parser.error("--further is a number of recordings, 0 or more")

    def show(written: int) -> None:
        print(f"{written:,} of {options.further:,} further recordings made", file=sys.stderr, flush=True)

    try:
        catalogue = invent_catalogue(options.seed, options.tracks)
        archives = publish_dumps(
            catalogue, options.out, further=options.further, seed=options.seed, level=options.level, progress=show
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(*archives, sep="\n")
    return 0
