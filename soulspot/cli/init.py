"""`soulspot init`: asks for what a configuration needs and writes it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from soulspot.cli.console import err, out
from soulspot.config import default_config_paths, make_config
from soulspot.config.template import ensure_template_can_be_written, write_template
from soulspot.errors import ConfigError

CONTACT, LIBRARY = "providers.musicbrainz.contact", "library.paths"
SPOTIFY_ID, SPOTIFY_SECRET = "providers.spotify.client_id", "providers.spotify.client_secret"
QUESTIONS = {
    CONTACT: "Your e-mail address or web page (MusicBrainz requires it)",
    LIBRARY: "Folder with your music",
    SPOTIFY_ID: "Client id of your Spotify app (empty: no Spotify)",
    SPOTIFY_SECRET: "Its client secret",
}

Ask = Callable[[str], Any]


def ask_and_write(
    path: Path,
    library: Sequence[Path] | None,
    contact: str | None,
    spotify_client_id: str | None,
    *,
    force: bool,
    ask: bool,
) -> None:
    """Write config.toml with these answers, and with those of a terminal or a pipe when `ask`. Raises ConfigError."""
    ensure_template_can_be_written(path, force)  # before anybody has answered anything
    answers: dict[str, Any] = {CONTACT: contact, SPOTIFY_ID: spotify_client_id}
    if library:
        answers[LIBRARY] = [os.path.abspath(folder.expanduser()) for folder in library]
    _check({key: value for key, value in answers.items() if value})
    if ask and sys.stdin:
        _ask(answers, _of_terminal if sys.stdin.isatty() else _of_pipe)
    given = {key: value for key, value in answers.items() if value}
    write_template(path, given, force)
    _say(path, given)


def _say(path: Path, given: dict[str, Any]) -> None:
    """What was written, what is still missing, and how to go on."""
    lines = [f"wrote {path}"]
    if CONTACT not in given:
        lines.append(f"{CONTACT} is still to be set: MusicBrainz wants to know whom to write to")
    if LIBRARY not in given:
        lines.append(f"{LIBRARY} is still to be set: the folders with your music")
    found = next((place for place in default_config_paths() if place.is_file()), None)
    named = "" if found and found.samefile(path) else f" --config {shlex.quote(str(path))}"
    lines.append(
        f"next: soulspot check{named}, then soulspot enrich{named}{'' if LIBRARY in given else ' PATH'}"
    )
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


def _ask(answers: dict[str, Any], ask: Ask) -> None:
    for key in QUESTIONS:
        if not answers.get(key) and (key != SPOTIFY_SECRET or answers.get(SPOTIFY_ID)):
            answers[key] = ask(key)


def _of_terminal(key: str) -> Any:
    """The answer, asked for again while it cannot be used; None when it is empty."""
    while True:
        said = typer.prompt(
            QUESTIONS[key], default="", show_default=False, hide_input=key == SPOTIFY_SECRET
        ).strip()
        try:
            return _usable(key, said)
        except ConfigError as error:
            out.print(str(error), markup=False)


def _of_pipe(key: str) -> Any:
    """The next line as the answer; None when it is empty or there are no more. Raises ConfigError."""
    err.print(QUESTIONS[key], markup=False, soft_wrap=True)
    return _usable(key, sys.stdin.readline().strip())


def _usable(key: str, said: str) -> Any:
    """An answer as the value of its key. Raises ConfigError when it cannot be that."""
    if not said:
        return None
    value: Any = [os.path.abspath(os.path.expanduser(said))] if key == LIBRARY else said
    _check({key: value})
    if key == LIBRARY and not Path(value[0]).exists():
        raise ConfigError([f"{LIBRARY}: {value[0]} does not exist"])
    return value


def _check(given: dict[str, Any]) -> None:
    """Raise ConfigError when one of these answers cannot be used; a contact may still be missing."""
    make_config(given if CONTACT in given else given | {"providers.musicbrainz.enabled": False})
