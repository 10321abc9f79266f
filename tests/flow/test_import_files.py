"""`soulspot import`: its report about files, folders and their rows, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soulspot.cli.main import app
from tests.imports.ern import group, item, message, recording, release
from tests.support.flow import rows

Import = Callable[..., Any]
ODD = "title,artist,isrc\nOne,A,\n,B,\nTwo,C,nonsense\nThree,D,,left,over\n"


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Return a function that runs the command offline: `imported(place, "--json")`."""

    def run(*arguments: object) -> Any:
        config = tmp_path / "config.toml"
        off = "\n".join(f"[providers.{name}]\nenabled = false" for name in ("musicbrainz", "spotify", "listenbrainz"))
        config.write_text(f'[database]\npath = "{tmp_path / "soulspot.db"}"\n{off}\n')
        return CliRunner().invoke(app, ["import", *map(str, arguments), "--config", str(config)])

    return run


def test_rows_that_cannot_be_used_are_named_with_their_line_in_the_files_order(imported: Import, tmp_path: Path):
    (tmp_path / "odd.csv").write_text(ODD)
    ended = imported(tmp_path / "odd.csv")
    assert ended.exit_code == 1
    said = [line for line in ended.stderr.splitlines() if line.startswith("line ")]
    assert said == [
        "line 3: neither a title nor an identifier",
        "line 4: isrc 'nonsense' is not an ISRC",
        "line 5: 2 cells more than columns, not used: 'left, over'",
    ]
    assert ended.stdout.startswith("4 rows, 3 queued, 1 bad, 2 remarked")


def test_a_row_with_nothing_to_look_up_is_bad_and_named_with_its_line(imported: Import, tmp_path: Path):
    (tmp_path / "a.csv").write_text("key,isrc,title\na,,One\nb,nonsense,\n")
    ended = imported(tmp_path / "a.csv", "--json")
    assert ended.exit_code == 1
    words = "isrc 'nonsense' is not an ISRC; nothing in this row can be looked up: its track ends as failed"
    assert json.loads(ended.stdout) == {"rows": 2, "queued": 1, "bad": 1, "bad_rows": [{"line": 3, "words": words}]}


def test_the_json_report_names_bad_rows_and_remarks_and_counts_them(imported: Import, tmp_path: Path):
    (tmp_path / "odd.csv").write_text(ODD + ",E,\n" * 150)
    ended = imported(tmp_path / "odd.csv", "--json")
    report = json.loads(ended.stdout)
    assert (report["rows"], report["queued"], report["bad"], report["remarked"]) == (154, 3, 151, 2)
    assert len(report["bad_rows"]) == 100
    assert report["bad_rows"][0] == {"line": 3, "words": "neither a title nor an identifier"}
    assert report["remarks"][1]["line"] == 5
    assert "line 3" not in ended.stderr


def test_a_sound_file_is_reported_without_lists(imported: Import, tmp_path: Path):
    (tmp_path / "a.csv").write_text("title\nOne\n")
    assert json.loads(imported(tmp_path / "a.csv", "--json").stdout) == {"rows": 1, "queued": 1, "bad": 0}


def test_a_message_becomes_tracks_and_its_update_changes_them(imported: Import, tmp_path: Path):
    place = release(group(item("A1", 1), item("A2", 2)))
    first = message(recording("A1") + recording("A2", ["GBAYE6500522"]), place)
    (tmp_path / "m.xml").write_text(first)
    assert json.loads(imported(tmp_path / "m.xml", "--json").stdout) == {"rows": 2, "queued": 2, "bad": 0}
    assert "2 already known" in imported(tmp_path / "m.xml").stdout
    (tmp_path / "m.xml").write_text(first.replace("<TitleText>One<", "<TitleText>Uno<"))
    assert json.loads(imported(tmp_path / "m.xml", "--json").stdout)["queued"] == 2
    found = rows(tmp_path / "soulspot.db")
    assert [(row["title"], row["album"], row["track_number"], row["source_key"]) for row in found] == [
        ("Uno", "Night Shift", 1, "ern:094631432057:GBAYE6500521"),
        ("Uno", "Night Shift", 2, "ern:094631432057:GBAYE6500522"),
    ]


def test_a_folder_is_imported_file_by_file_and_an_unusable_file_stops_nothing(imported: Import, tmp_path: Path):
    folder = tmp_path / "deliveries"
    (folder / "b").mkdir(parents=True)
    (folder / "a.csv").write_text("title,artist\nOne,A\n,B\n")
    (folder / "b" / "m.xml").write_text(message(recording(), release(group(item("A1", 1)))))
    (folder / "b" / "manifest.xml").write_text('<e:ManifestMessage xmlns:e="urn:e"/>')
    (folder / "z.ndjson").write_text('{"title": "Last"}\n')
    (folder / ".hidden.csv").write_text("title\nHidden\n")
    (folder / "cover.jpg").write_bytes(b"no import file")
    ended = imported(folder, "--json")
    assert ended.exit_code == 1
    report = json.loads(ended.stdout)
    assert (report["files"], report["rows"], report["queued"], report["bad"]) == (4, 5, 3, 2)
    assert [(row["file"], row["line"]) for row in report["bad_rows"]] == [("a.csv", 3), ("b/manifest.xml", 1)]
    assert [row["title"] for row in rows(tmp_path / "soulspot.db")] == ["One", "One", "Last"]
    assert "b/manifest.xml: line 1: is no release message but a ManifestMessage" in imported(folder).stderr


def test_a_folder_without_import_files_is_wrong_usage_and_names_the_command_for_music(imported: Import, tmp_path: Path):
    (tmp_path / "music").mkdir()
    ended = imported(tmp_path / "music")
    assert ended.exit_code == 2
    assert "soulspot enrich" in ended.stderr


def test_a_file_that_is_no_message_is_wrong_usage(imported: Import, tmp_path: Path):
    (tmp_path / "page.xml").write_text("<html/>")
    ended = imported(tmp_path / "page.xml")
    assert ended.exit_code == 2
    assert "is no release message but a html" in ended.stderr
