"""`soulspot init`: asks for what a configuration needs and writes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from soulspot.config import make_config
from soulspot.config_template import write_template
from soulspot.console import out
from soulspot.errors import ConfigError


def ask_and_write(
    path: Path,
    library: Sequence[Path] | None,
    contact: str | None,
    spotify_client_id: str | None,
    *,
    force: bool,
    ask: bool,
) -> None:
    """Write config.toml with these answers, asking for the others when `ask`. Raises ConfigError."""
    answers: dict[str, Any] = {}
    if library:
        answers["library.paths"] = [os.path.abspath(folder.expanduser()) for folder in library]
    answers["providers.musicbrainz.contact"] = contact
    answers["providers.spotify.client_id"] = spotify_client_id
    if ask:
        _ask(answers)
    given = {key: value for key, value in answers.items() if value}
    _check(given)
    write_template(path, given, force)
    out.print(f"wrote {path}", markup=False)
    if "providers.musicbrainz.contact" not in given:
        out.print(
            "providers.musicbrainz.contact is still to be set: MusicBrainz wants to know whom to write to",
            markup=False,
        )
    if "library.paths" not in given:
        out.print("library.paths is still to be set: the folders with your music", markup=False)
    out.print("next: soulspot check, then soulspot enrich", markup=False)


def _ask(answers: dict[str, Any]) -> None:
    questions: list[tuple[str, str, bool]] = [
        ("library.paths", "Folder with your music", False),
        ("providers.musicbrainz.contact", "Your e-mail address or web page (MusicBrainz requires it)", False),
        ("providers.spotify.client_id", "Client id of your Spotify app (empty: no Spotify)", False),
        ("providers.spotify.client_secret", "Its client secret", True),
    ]
    for key, question, hidden in questions:
        if answers.get(key) or (
            key.endswith("client_secret") and not answers.get("providers.spotify.client_id")
        ):
            continue
        answers[key] = _asked(key, question, hidden)


def _asked(key: str, question: str, hidden: bool) -> Any:
    """The answer, asked for again while it cannot be used; None when it is empty."""
    while True:
        said = typer.prompt(question, default="", show_default=False, hide_input=hidden).strip()
        if not said:
            return None
        value: Any = [os.path.abspath(os.path.expanduser(said))] if key == "library.paths" else said
        try:
            _check({key: value})
        except ConfigError as error:
            out.print(str(error), markup=False)
            continue
        if key == "library.paths" and not Path(value[0]).exists():
            out.print(f"{value[0]} does not exist", markup=False)
            continue
        return value


def _check(given: dict[str, Any]) -> None:
    """Raise ConfigError when one of these answers cannot be used; a contact may still be missing."""
    asked = "providers.musicbrainz.contact" in given
    make_config(given if asked else given | {"providers.musicbrainz.enabled": False})
