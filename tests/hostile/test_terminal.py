"""Titles, tags, names of files and words of services cannot steer a terminal or forge a line."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import pty
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web
from mutagen.flac import FLAC
from rich.table import Table
from rich.text import Text

from soulspot.cli.main import COMMANDS
from soulspot.telemetry import Telemetry, configure_logging, get_logger
from soulspot.terminal import bars, console
from soulspot.text import visible
from soulspot.web.server import serve
from tests.flow.test_review import in_review
from tests.library.audio import flac
from tests.support.flow import Ended, rows, settings, soulspot, write_config
from tests.support.forks import ROOT

POISON = "P\x1b]0;owned\x07\x1b[2J\x1b[8m[red]x[/red] :smile:\nsoulspot: all well\r\x9b31m\u202egnp.\u2066\u200b\x00"
NAME = POISON.replace("/", "|").replace("\x00", "")
# what may not reach a terminal: control characters but the line feed, what turns or hides text
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
LETTERS = "בַּרְבָּרָה شادية می‌خواهم नमस्ते ❤️‍🔥 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 Zoë 東京"


def assert_harmless(output: str, words: str) -> None:
    """Fail when the output of a command could steer a terminal, or holds a forged line."""
    assert not FORBIDDEN.search(output), f"{words}: {FORBIDDEN.search(output)!r} in {output!r}"
    assert not re.search(r"^soulspot: all well", output, re.MULTILINE), f"{words}: {output!r}"
    assert "😄" not in output, words


def poison(database: Path) -> None:
    """Put the poison wherever a stranger's words can stand in the database."""
    with closing(sqlite3.connect(database)) as connection, connection:
        text, quoted = POISON, json.dumps(POISON)
        connection.execute("UPDATE tracks SET source_key = ? || track_id", (text,))
        for name in ("title", "artist", "album"):
            connection.execute(f"UPDATE tracks SET tags = json_set(tags, '$.{name}', ?)", (text,))
            connection.execute(f"UPDATE enriched_tracks SET {name} = ?", (text,))
        for name in ("title", "disambiguation"):
            connection.execute(f"UPDATE facts SET fields = json_set(fields, '$.{name}', ?)", (text,))
        connection.execute("UPDATE candidates SET reasons = json_insert(reasons, '$[#]', ?)", (text,))
        connection.execute("UPDATE lookups SET state = 'failed', last_error = ? WHERE lookup_id % 2", (text,))
        connection.execute(
            "UPDATE batch_operations SET error_message = ?, metadata = json_set(metadata, '$.notes', json(?))",
            (text, f"[{quoted}]"),
        )
        gate = json.dumps({"pause": {"blocked_until": 9e9, "why": text}})
        connection.execute("UPDATE provider_state SET value = ? WHERE key LIKE 'gate:%'", (gate,))


def poisoned_music(folder: Path) -> Path:
    """Write a file with a poisoned name and tags, and a damaged one, into a folder so named."""
    folder = folder / NAME
    folder.mkdir(parents=True)
    tagged = FLAC(flac(folder / f"{NAME}.flac"))
    tagged["title"] = tagged["artist"] = tagged["album"] = POISON.replace("\x00", "")
    tagged.save()
    (folder / f"{NAME}.mp3").write_bytes(b"no music")
    return folder


@pytest.mark.process
async def test_no_command_lets_titles_paths_or_errors_steer_the_terminal(tmp_path: Path) -> None:
    """Promise 23: names round-trip, and are escaped where a person reads them."""
    walked: set[str] = set()
    music = poisoned_music(tmp_path / "music")
    log = tmp_path / "a\x1b[2Jlog"
    table = tmp_path / f"{NAME}.csv"
    table.write_text(f'key,title,duration_ms\n1,"{NAME}","{NAME}"\n', encoding="utf-8")
    bad_table = tmp_path / f"{NAME}.json"
    bad_table.write_text("[", encoding="utf-8")
    broken = tmp_path / f"{NAME}.toml"
    broken.write_text('[library]\n"a\\u001b[2Jb" = 1\n', encoding="utf-8")

    async with in_review(tmp_path) as desk:

        async def run(*words: str | Path, codes: tuple[int, ...] = (0, 1), config: Path | None = desk.config) -> Ended:
            walked.add(str(words[0]))
            ended = await soulspot(*words, *(("--config", config) if config else ()), COLUMNS="90")
            assert ended.code in codes, f"{words}: {ended}"
            assert_harmless(ended.out + ended.err, " ".join(map(str, words)))
            return ended

        poison(desk.database)
        assert "\\x1b]0;owned" in (await run("review", "list")).out, "made visible, not dropped"
        assert "[red]x[/red]" in (await run("review", "show", "1")).out
        await run("review", "list", "--query", POISON.replace("\x00", ""))
        await run("review", "show", str(music / "absent"), codes=(2,))
        await run("review", "reject", "2", "--reason", NAME)
        await run("review", "undo", "2")
        await run("review", "search", "1", NAME, "--wait", "5")
        await run("review", "accept", NAME, codes=(2,))
        await run("status")
        await run("scan", music)
        await run("scan", tmp_path / NAME, codes=(2,))
        assert "\\x1b" in (await run("status", "--unreadable")).out
        await run("enrich", music, "--wait", "1")
        await run("enrich", "--dry-run", music)
        await run("check", "--plan", music)
        await run("import", table)
        await run("import", bad_table, codes=(2,))
        await run("import", "--from-sql", f"sqlite:///{tmp_path}/{NAME}.db", "--query", NAME, codes=(2,))
        await run("retry")
        poison(desk.database)
        await run("report")
        await run("report", "1")
        with closing(sqlite3.connect(desk.database)) as connection, connection:
            connection.execute("UPDATE enriched_tracks SET status = 'accepted'")
        await run("write-tags")
        await run("write-tags", music)
        await run("write-tags", "--apply")
        await run("write-tags", "--list")
        await run("export", "--out", tmp_path / f"{NAME}.out.csv")
        await run("export", "--out", tmp_path / NAME / "x.csv")
        await run("export", "--format", "ddex", "--out", tmp_path / f"{NAME}-ddex", codes=(0, 1, 2, 78))
        await run("export", "--format", NAME, codes=(2,))
        await run("stats", "--log", tmp_path / f"absent{NAME}", codes=(2,))
        log.write_text(json.dumps({"event": "alarm", "level": "error", "at": "2026-01-01T00:00:00Z", "alarm": POISON,
                                   "kind": POISON}) + "\n" + NAME + "\n", encoding="utf-8")  # fmt: skip
        await run("stats", "--log", log)
        await run("check", codes=(0, 1))
        await run("check", config=broken, codes=(78,))
        await run("init", broken, codes=(78,), config=None)
        await run("init", tmp_path / f"{NAME}-new.toml", "--yes", "--library", music, config=None)
        await run("webhooks", "status", codes=(78,))
        await run("daemon", codes=(78,), config=broken)
        await run("demo", table, codes=(2,))
        for command in COMMANDS:
            await run(command, f"--{NAME}", codes=(2,))
            await run(command, "--json", f"--{NAME}", codes=(2,))
        hooked = settings(desk.sandbox, desk.database, webhooks__url="http://127.0.0.1:9/x",
                          webhooks__allow_private=True, webhooks__secret="whsec_" + "a" * 43 + "=")  # fmt: skip
        await run("webhooks", "test", config=write_config(tmp_path / "hooked.toml", hooked))
    assert walked >= set(COMMANDS)


@pytest.mark.process
async def test_the_words_of_a_service_that_refuses_reach_nobody_raw(tmp_path: Path) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": POISON, "message": POISON}, status=403, reason="Forbidden")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", refuse)
    music = poisoned_music(tmp_path / "music")
    async with serve(application, "127.0.0.1", 0) as address:
        urls = {f"providers.{name}": address for name in (
            "musicbrainz.base_url", "spotify.base_url", "spotify.token_url", "listenbrainz.base_url",
            "listenbrainz.labs_url",
        )}  # fmt: skip
        values = {"database.path": str(tmp_path / "db"), "providers.musicbrainz.contact": "t@example.org",
                  "providers.spotify.client_id": "a", "providers.spotify.client_secret": "b"}  # fmt: skip
        config = write_config(tmp_path / "config.toml", values | urls)
        for words in (("enrich", music, "--wait", "1"), ("report",), ("status",), ("retry",)):
            ended = await soulspot(*words, "--config", config)
            assert_harmless(ended.out + ended.err, str(words[0]))
    errors = [row["last_error"] for row in rows(tmp_path / "db", "SELECT last_error FROM lookups")]
    assert any(error and "\x1b" in error for error in errors), "the database keeps the words as they came"


async def _on_a_terminal(*words: str | Path) -> str:
    """Return what a command writes to a terminal that knows neither colours nor bars."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "soulspot", *map(str, words), stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)

    def read() -> bytes:
        found = b""
        # reading ends with EIO when the command has closed its side
        try:
            while piece := os.read(ours, 65536):
                found += piece
        except OSError:
            pass
        return found

    found = await asyncio.to_thread(read)
    await process.wait()
    os.close(ours)
    # the terminal itself puts a carriage return before each line feed
    return found.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


@pytest.mark.parametrize("command", [("export",), ("export", "--format", "ndjson"), ("enrich", "--wait", "1")])
async def test_tables_on_a_terminal_are_harmless_and_in_a_pipe_exact(tmp_path: Path, command: tuple[str, ...]) -> None:
    music = poisoned_music(tmp_path / "music")
    config = write_config(tmp_path / "config.toml", {
        "database.path": str(tmp_path / "db"), "library.paths": [str(music)], "providers.musicbrainz.enabled": False,
        "providers.listenbrainz.enabled": False, "log.format": "console",
    })  # fmt: skip
    assert (await soulspot("scan", "--config", config)).code == 0
    shown = await _on_a_terminal(*command, "--config", config)
    # a line break in a quoted cell is part of CSV
    assert_harmless(shown.replace("\nsoulspot", "soulspot") if command == ("export",) else shown, command[0])
    if command[0] == "export":
        assert POISON[:10] in (await soulspot("export", "--format", "json", "--config", config)).json[0]["title"]


def test_bars_tables_and_lines_show_escapes_and_letters_of_every_script() -> None:
    screen = io.StringIO()
    terminal = console.CleanConsole(file=screen, force_terminal=True, width=200, markup=False, emoji=False)
    table = Table(POISON, title=POISON)
    table.add_row(POISON)
    table.add_row(Text(POISON))
    table.add_row(LETTERS)
    terminal.print(POISON)
    terminal.print(Text(POISON))
    terminal.print(table)
    shown = re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue())  # rich's own styles
    assert_harmless(shown, "rich")
    assert LETTERS in shown
    assert "\\x1b]0;owned" in shown


def test_progress_bars_show_notes_of_strangers_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    terminal = console.CleanConsole(file=screen, force_terminal=True, width=400, markup=False, emoji=False)
    for module in (bars, console):
        monkeypatch.setattr(module, "err", terminal)
    with bars.progress_bars() as shown_bars:
        shown_bars.show(POISON, 1, 2, POISON)
        shown_bars.note(POISON)
    shown = screen.getvalue()
    for piece in ("\x1b]0;", "\x1b[8m", "\x07", "\x9b", "\u202e", "\u200b"):
        assert piece not in shown
    assert "[red]x[/red] :smile:" in shown


@pytest.mark.parametrize("name", ["visible", "console", "json"])
def test_a_log_for_people_has_one_line_an_event_and_json_is_exact(name: str) -> None:
    if name == "visible":
        assert_harmless(visible(POISON), name)
        assert visible(LETTERS) == LETTERS
        return
    stream = io.StringIO()
    configure_logging(name, "info", stream=stream)
    telemetry = Telemetry()
    telemetry.warning("scan_problem", path=POISON, reason=POISON.encode(), more=[POISON])
    try:
        raise ValueError(POISON)
    except ValueError:
        get_logger("soulspot.test").exception("failed")
    logging.getLogger("somebody.else").error("%s", POISON)
    if name == "json":
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [line.get("path") for line in lines] == [POISON, None, None]
        assert not FORBIDDEN.search(stream.getvalue())
        return
    assert_harmless(stream.getvalue(), name)
    assert "\\x1b]0;owned" in stream.getvalue()
