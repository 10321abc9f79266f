"""`soulspot catalogue`: MusicBrainz on this machine, built of a public dump."""

import asyncio
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.assembly import catalogue_path
from soulspot.cli.json_documents import Commands
from soulspot.cli.options import ConfigOption, JsonOption, parse_path, refuse_missing
from soulspot.cli.running import INCOMPLETE, exit_on_error, exit_with, load_or_exit, run_with_bars
from soulspot.config import Config
from soulspot.providers.catalogue import BuildProgress, Catalogue, build_catalogue
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_answer, print_note

app = Commands(
    help="Build MusicBrainz on this machine, and look after it.\n\nExample: soulspot catalogue build mbdump.tar.bz2"
)
OLD_ONE_STAYS = "the catalogue is as it was"


@app.command()
def build(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", parser=parse_path,
        help="mbdump.tar.bz2, with mbdump-derived.tar.bz2 for genres and first dates; or a canonical dump alone.")],
    config: ConfigOption = None, json_: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:  # fmt: skip
    """Build the catalogue of a MusicBrainz dump.

    The archives are read as they are, and never unpacked. The new catalogue takes the place of the
    old, and a running daemon takes it up by itself. The old catalogue answers until the new
    one has found its own recordings; when anything fails, or this is stopped, it stays. A running
    daemon takes up the new one by itself.

    Example: soulspot catalogue build mbdump.tar.bz2 mbdump-derived.tar.bz2"""
    loaded = load_or_exit(config, needs_contact=False)
    refuse_missing(files)
    target = catalogue_path(loaded)

    async def work(bars: Bars) -> None:
        is_stopped = threading.Event()

        def report(progress: BuildProgress) -> None:
            bars.show("catalogue", round(1000 * progress.done), 1000, progress.doing + _time_left(progress))

        making = asyncio.create_task(
            asyncio.to_thread(build_catalogue, files, target, report=report, is_stopped=is_stopped.is_set)
        )
        try:
            await asyncio.shield(making)
        except asyncio.CancelledError:
            is_stopped.set()
            await asyncio.gather(making, return_exceptions=True)
            raise

    exit_on_error(lambda: run_with_bars(work, quiet=quiet or json_), if_stopped=OLD_ONE_STAYS)
    _show(loaded, json_)
    if not loaded.providers.catalogue.enabled and not json_:
        print_note("it is not asked yet: set enabled = true below [providers.catalogue]")


@app.command()
def status(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Show what the catalogue has, and how old it is.

    Exit code 1 when there is none.

    Example: soulspot catalogue status --json"""
    _show(load_or_exit(config, needs_contact=False), json_)


@app.command()
def verify(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Read the whole catalogue, and try it.

    Exit code 1 when it is damaged: build it again.

    Example: soulspot catalogue verify"""
    path = catalogue_path(load_or_exit(config, needs_contact=False))

    def look() -> None:
        with closing(Catalogue(path)) as catalogue:
            catalogue.check(thoroughly=True)

    exit_on_error(look)
    print_answer({"file": str(path), "is_sound": True}, json_, f"{path} is sound")


@app.command()
def remove(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Delete the catalogue's file. What it told of accepted tracks stays in the database.

    Example: soulspot catalogue remove"""
    path = catalogue_path(load_or_exit(config, needs_contact=False))
    if not path.exists():
        exit_with(INCOMPLETE, f"there is no catalogue at {path}")
    size = path.stat().st_size
    exit_on_error(path.unlink)
    print_answer({"file": str(path), "bytes": size}, json_, f"removed {path}, {size / 1e6:,.0f} MB")


def _show(config: Config, json_: bool) -> None:
    path = catalogue_path(config)

    def read() -> dict[str, Any]:
        with closing(Catalogue(path)) as catalogue:
            about = catalogue.about
        return {
            "file": str(path), "bytes": path.stat().st_size, "names_only": about.names_only,
            "dump_date": time.strftime("%Y-%m-%d", time.gmtime(about.dated)),
            "age_days": round(about.age(time.time()) / 86_400, 1), "recordings": about.recordings,
            "is_enabled": config.providers.catalogue.enabled,
        }  # fmt: skip

    found = exit_on_error(read)
    kind = "names only, without lengths and ISRCs" if found["names_only"] else "with lengths and ISRCs"
    print_answer(
        found, json_,
        f"{path}: {found['recordings']:,} recordings, {kind}; {found['bytes'] / 1e6:,.0f} MB",
        f"of a dump of {found['dump_date']}, {found['age_days']:.0f} days old",
    )  # fmt: skip


def _time_left(progress: BuildProgress) -> str:
    if progress.seconds_left is None:
        return ""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    return f", about {minutes} min left" if minutes else f", about {seconds} s left"
