"""The table of commands. A command's module is imported when the command is used."""

import contextlib
import io
import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any, cast

import typer
import typer.main

from soulspot.cli.json_documents import Commands, OneDocumentGroup
from soulspot.terminal.console import print_note
from soulspot.version import __version__

# name: (module in this package, summary). The module has a function of its own name, or a group
# `app`. The summary stands here too, so that `soulspot --help` needs no command's module, nor the
# libraries that enrich.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "daemon": ("daemon", "Run the service until SIGTERM or Ctrl-C."),
    "scan": ("scan", "Queue new and changed files."),
    "import": ("import_files", "Queue tracks without files, from lists or another database."),
    "enrich": ("enrich", "Identify and enrich the music in PATH, or in the library."),
    "status": ("status", "Show how far the library is, and what it waits for."),
    "retry": ("retry", "Queue lookups again that failed or found nothing."),
    "check": ("check", "Check configuration, database, library and versions."),
    "init": ("init", "Write a commented config.toml, asking for what it needs."),
    "demo": ("demo", "Do the whole job on a sample library against local servers."),
    "stats": ("stats", "Show from the log how fast and how well a period's work went."),
    "export": ("export", "Write the enriched tracks as a table, or as release messages."),
    "report": ("report", "Show what an operation cost, what failed, and what to do."),
    "write-tags": ("write_tags", "Write the enriched fields into the tags of accepted files."),
    "review": ("review", "Decide by hand about matches that are merely likely."),
    "backup": ("backup", "Copy the database to FILE, also beside a running daemon."),
    "restore": ("restore", "Put a copy of FILE in the place of the database."),
    "recover": ("recover", "Save every readable row of a damaged database into a new one."),
    "catalogue": ("catalogue", "Build MusicBrainz on this machine, and look after it."),
    "webhooks": ("webhooks", "Test the webhook receiver, and show its deliveries."),
}


class CommandsByName(Mapping[str, Any]):
    """The commands of `COMMANDS`; looking one up imports its module."""

    def __getitem__(self, name: str) -> Any:
        module_name, _ = COMMANDS[name]
        module = import_module(f"soulspot.cli.{module_name}")
        if (group := getattr(module, "app", None)) is None:
            group = Commands()
            group.command(name)(getattr(module, module_name))
        return typer.main.get_command(group)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class RootGroup(OneDocumentGroup):
    """The group of all commands, whose help imports none of them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = CommandsByName()  # type: ignore[assignment]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands with their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


app = Commands(
    cls=RootGroup,
    help="SoulSpot keeps a music library's metadata complete.\n\n"
    "Begin with `soulspot init`, then `soulspot enrich`. `soulspot demo` shows it all without an account or music.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"soulspot {__version__}")
        raise typer.Exit


@app.callback()
def _options_without_a_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """SoulSpot keeps a music library's metadata complete."""


def main() -> None:
    """Run the command that `sys.argv` names: the entry point of the `soulspot` script."""
    for stream in (sys.stdout, sys.stderr):
        # an old terminal may not have all letters of a title; a process may lack a stream
        with contextlib.suppress(AttributeError, OSError):
            cast(io.TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception:
        for line in traceback.format_exc().rstrip().split("\n"):
            print_note(line)
        sys.exit(1)
