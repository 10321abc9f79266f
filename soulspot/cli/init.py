"""`soulspot init`: ask for what a configuration needs, and write it as a commented config.toml."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.cli.options import parse_path, refuse_missing
from soulspot.cli.running import exit_on_error, refuse
from soulspot.config import default_config_paths, make_config
from soulspot.config.template import ensure_template_can_be_written, write_template
from soulspot.errors import ConfigError
from soulspot.terminal.console import print_note, print_result

CONTACT, LIBRARY = "providers.musicbrainz.contact", "library.paths"
SPOTIFY_ID, SPOTIFY_SECRET = "providers.spotify.client_id", "providers.spotify.client_secret"
# in the order in which they are asked, on a terminal and as lines of a pipe
QUESTIONS = {
    CONTACT: "Your e-mail address or web page (MusicBrainz requires it)",
    LIBRARY: "Folder with your music",
    SPOTIFY_ID: "Client id of your Spotify app (empty: no Spotify)",
    SPOTIFY_SECRET: "Its client secret",
}


def init(
    path: Annotated[Path | None, typer.Argument(metavar="PATH", parser=parse_path,
        help="The file to write (default: ./config.toml).")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", metavar="PATH", parser=parse_path,
        help="The same as PATH.")] = None,
    library: Annotated[list[Path] | None, typer.Option(metavar="PATH", parser=parse_path,
        help="A folder with music; may be repeated.")] = None,
    contact: Annotated[str | None, typer.Option(metavar="WORDS",
        help="Your e-mail address or web page, for MusicBrainz.")] = None,
    spotify_client_id: Annotated[str | None, typer.Option(metavar="ID",
        help="The client id of your Spotify app.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, and leave empty what was not given.")] = False,
) -> None:  # fmt: skip
    """Write a commented config.toml, asking for what it needs.

    Where there is no terminal the answers are the lines of standard input: contact, folder with
    music, Spotify's client id, its secret. What is left out stays empty.

    Example: soulspot init --contact me@example.org --library ~/Music --yes"""
    if path and config and path != config:
        refuse("name the file once: as PATH or with --config")
    refuse_missing([folder.expanduser() for folder in library or []])
    answers: dict[str, Any] = {CONTACT: contact, SPOTIFY_ID: spotify_client_id}
    if library:
        answers[LIBRARY] = [os.path.abspath(folder.expanduser()) for folder in library]
    target = path or config or Path("config.toml")
    exit_on_error(lambda: ask_and_write(target, answers, force=force, ask=not yes))


def ask_and_write(path: Path, answers: Mapping[str, Any], *, force: bool, ask: bool) -> None:
    """Write config.toml with `answers` by key and, with `ask`, those of a terminal or pipe.

    Raises ConfigError when the file may not be written or an answer cannot be used; nothing is
    written then."""
    # before anybody has answered anything
    ensure_template_can_be_written(path, force)
    given = {key: value for key, value in answers.items() if value}
    _check(given)
    # a process without standard input (a service, a GUI) has None there
    if ask and sys.stdin:
        ask_one = _ask_terminal if sys.stdin.isatty() else _read_pipe
        for key in QUESTIONS:
            # without a client id there is no secret to ask for
            is_wanted = key not in given and (key != SPOTIFY_SECRET or SPOTIFY_ID in given)
            if is_wanted and (value := ask_one(key)):
                given[key] = value
    write_template(path, given, force)
    print_result(*_next_steps(path, given))


def _next_steps(path: Path, given: Mapping[str, Any]) -> Sequence[str]:
    lines = [f"wrote {path}"]
    if CONTACT not in given:
        lines.append(f"{CONTACT} is still to be set: MusicBrainz wants to know whom to write to")
    if LIBRARY not in given:
        lines.append(f"{LIBRARY} is still to be set: the folders with your music")
    found = next((place for place in default_config_paths() if os.path.isfile(place)), None)
    option = "" if found and found.samefile(path) else f" --config {shlex.quote(str(path))}"
    argument = "" if LIBRARY in given else " PATH"
    return [*lines, f"next: soulspot check{option}, then soulspot enrich{option}{argument}"]


def _ask_terminal(key: str) -> Any:
    while True:
        hidden = key == SPOTIFY_SECRET
        answer = typer.prompt(QUESTIONS[key], default="", show_default=False, hide_input=hidden).strip()
        try:
            return _value_of(key, answer)
        except ConfigError as error:
            print_result(str(error))


def _read_pipe(key: str) -> Any:
    """Return the next line of standard input as the answer; None when it is empty or there is none.

    Raises ConfigError when the answer cannot be used."""
    print_note(QUESTIONS[key])
    return _value_of(key, sys.stdin.readline().strip())


def _value_of(key: str, answer: str) -> Any:
    """Return an answer as its key's value, None for "". Raises ConfigError if it cannot be that."""
    if not answer:
        return None
    value: Any = [os.path.abspath(os.path.expanduser(answer))] if key == LIBRARY else answer
    _check({key: value})
    if key == LIBRARY and not Path(value[0]).exists():
        raise ConfigError([f"{LIBRARY}: {value[0]} does not exist"])
    return value


def _check(answers: Mapping[str, Any]) -> None:
    """Raise ConfigError when an answer cannot be used; a contact may still be missing."""
    # without MusicBrainz no contact is required
    make_config(answers if CONTACT in answers else {**answers, "providers.musicbrainz.enabled": False})
