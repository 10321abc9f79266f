"""The command `soulspot export --format ddex`: its message files, and its report on the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soulspot.cli.main import app
from soulspot.export.ddex.job import file_name, write_whole
from soulspot.models import EnrichedTrack, Status
from tests.export.conftest import Fill, track
from tests.export.ern import RECIPIENT, SENDER, song, texts
from tests.support.factories import NOW, mbid
from tests.support.shared_data import shared

Export = Callable[..., Any]


def row(track_id: int, release: int | None, number: int = 1, **more: Any) -> EnrichedTrack:
    """Return a complete row of this release."""
    cells = song(number, barcode=None, mb_release_id=mbid(release) if release else None)
    cells |= {"genres": ("rock",), "isrc": f"GBAYE{track_id:07d}", **more}
    return track(track_id, **cells)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """Return a function that runs the command into the folder `out`, with a sender configured."""

    def run(*arguments: object, sender: str = SENDER, keys: str = "") -> Any:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[database]\npath = "{tmp_path / "soulspot.db"}"\n[export.ddex]\nsender = "{sender}"\n'
            f'recipient = "{RECIPIENT}"\n{keys}\n'
        )
        out = ["--out", str(tmp_path / "out")] if "--out" not in arguments else []
        given = [str(one) for one in (*arguments, *out)]
        return CliRunner().invoke(app, ["export", "--format", "ddex", *given, "--config", str(config)])

    return run


def written(tmp_path: Path) -> list[ElementTree.Element]:
    return [ElementTree.parse(path).getroot() for path in sorted((tmp_path / "out").iterdir())]


def test_when_the_filters_choose_nothing_it_says_that_and_not_that_there_is_nothing(fill: Fill, export: Export):
    fill(row(1, 1))
    ended = export("--query", "zzz")
    assert ended.exit_code == 0
    assert "--since and --query choose no accepted tracks" in ended.stderr


def test_it_stops_at_the_failure_that_is_one_too_many_and_says_so(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1), row(2, 2, isrc=None), *(row(n, n) for n in range(3, 30)))
    ended = export("--max-failures", 1)
    assert ended.exit_code == 1
    assert "stopped after 1 releases that could not be written (--max-failures 1)" in ended.stderr
    assert len(written(tmp_path)) == 1


def test_every_release_of_accepted_tracks_is_a_valid_file_of_its_own(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1, 1), row(2, 2, 1), row(3, 1, 2), row(4, 3, status=Status.REVIEW), row(5, 2, 2))
    ended = export("--schema", shared("data", "ddex"))
    assert ended.exit_code == 0, ended.output
    assert "2 releases (4 tracks)" in ended.stderr
    assert "each valid by the schema" in ended.stderr
    found = written(tmp_path)
    assert [len(texts(one, "ResourceList/SoundRecording/ResourceReference")) for one in found] == [2, 2]
    assert sorted(texts(one, ".//SoundRecording//ISRC") for one in found) == [
        ["GBAYE0000001", "GBAYE0000003"], ["GBAYE0000002", "GBAYE0000005"],
    ]  # fmt: skip


def test_the_same_release_goes_to_the_same_file_again(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1), row(2, 2))
    export()
    before = sorted((tmp_path / "out").iterdir())
    export()
    assert sorted((tmp_path / "out").iterdir()) == before
    assert len(before) == 2


def test_what_lacks_a_field_is_reported_with_the_field_and_what_to_do_and_the_rest_is_written(
    fill: Fill, export: Export, tmp_path: Path
):
    fill(row(1, 1), row(2, 2, isrc=None), row(3, 3), row(4, 3, number=2, label=None, duration_ms=None))
    ended = export()
    assert ended.exit_code == 1
    assert "Night Shift" in ended.stderr
    assert "isrc: track 1 'Song 1' (track_id 2) has no ISRC" in ended.stderr
    assert "1 × duration_ms" in ended.stderr
    assert "1 releases (1 tracks)" in ended.stderr
    assert len(written(tmp_path)) == 1


def test_the_json_report_counts_by_field_and_says_what_to_do(fill: Fill, export: Export):
    fill(row(1, 1), row(2, 2, isrc=None), row(3, 3, isrc=None))
    report = json.loads(export("--json").stdout)
    assert (report["releases"], report["written"], report["failed"], report["tracks"]) == (3, 1, 2, 1)
    assert report["errors_by_field"]["isrc"]["count"] == 2
    assert "soulspot import" in report["errors_by_field"]["isrc"]["what_to_do"]
    assert {error["release_key"] for error in report["errors"]} == {f"mbid:{mbid(2)}", f"mbid:{mbid(3)}"}


def test_a_release_goes_out_whole_when_one_of_its_tracks_is_chosen(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1, title="Harbour"), row(2, 1, number=2), row(3, 2))
    assert export("--query", "harbour").exit_code == 0
    (found,) = written(tmp_path)
    assert len(texts(found, "ResourceList/SoundRecording/ResourceReference")) == 2


def test_since_chooses_releases_of_which_something_changed(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1), row(2, 2))
    fill(row(3, 2, number=2), now=NOW + 1000)
    ended = export("--since", "2023-11-14T22:20:00+00:00", "--json")
    assert json.loads(ended.stdout)["written"] == 1
    (found,) = written(tmp_path)
    assert len(texts(found, "ResourceList/SoundRecording/ResourceReference")) == 2


def test_tracks_are_grouped_by_the_columns_that_are_named(fill: Fill, export: Export):
    fill(row(1, 1), row(2, 2, number=2), row(3, 3, album="Other"))
    assert json.loads(export("--group-by", "album", "--json").stdout)["written"] == 2
    refused = export("--group-by", "albun")
    assert refused.exit_code == 2
    assert "no column 'albun'" in refused.stderr


def test_tracks_without_any_album_are_one_line_and_not_one_each(fill: Fill, export: Export):
    fill(*(row(n, None, album=None, label=None) for n in range(1, 60)))
    ended = export()
    assert ended.exit_code == 1
    assert "59 records name no release" in ended.stderr
    assert len(ended.stderr.splitlines()) < 6


def test_it_stops_after_as_many_failures_as_are_allowed_and_says_so(fill: Fill, export: Export):
    fill(*(row(n, n, isrc=None) for n in range(1, 400)))
    ended = export("--max-failures", "2", "--processes", "1")
    assert ended.exit_code == 1
    assert "--max-failures 2" in ended.stderr
    assert "were not looked at" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--validate",), "--validate needs the schema"),
        (("--out", "-"), "say --out FOLDER"),
        (("--out", __file__), "is a file; ddex needs a folder"),
        (("--status", "review"), "only accepted tracks"),
        (("--limit", "3"), "--limit: goes with tables"),
        (("--schema", "/nowhere"), "there is no such file or folder"),
        (("--since", "soon"), "'soon' is neither"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(fill: Fill, export: Export, arguments, words):
    fill(row(1, 1))
    ended = export(*arguments)
    assert ended.exit_code == 2
    assert words in ended.stderr


def test_without_a_sender_it_ends_as_a_configuration_error_that_names_the_key(fill: Fill, export: Export):
    fill(row(1, 1))
    ended = export(sender="")
    assert ended.exit_code == 78
    assert "export.ddex.sender is not set" in ended.stderr


def test_a_deal_that_the_schema_does_not_know_is_a_configuration_error(fill: Fill, export: Export):
    fill(row(1, 1))
    keys = f'schema = "{shared("data", "ddex")}"\n[[export.ddex.deals]]\ncommercial_model = "Gift"'
    ended = export("--validate", keys=keys)
    assert ended.exit_code == 78
    assert "CommercialModelType" in ended.stderr


def test_options_of_ddex_with_a_table_are_wrong_usage(tmp_path: Path):
    ended = CliRunner().invoke(app, ["export", "--format", "csv", "--group-by", "album"])
    assert ended.exit_code == 2
    assert "--group-by: goes with --format ddex alone" in ended.stderr


def test_a_library_without_accepted_tracks_is_said_and_no_failure(fill: Fill, export: Export):
    fill(row(1, 1, status=Status.PENDING))
    ended = export()
    assert ended.exit_code == 0
    assert "no accepted tracks" in ended.stderr


def test_a_folder_that_cannot_be_written_is_retried_and_then_reported(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1), row(2, 2))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / file_name(mbid(1), f"mbid:{mbid(1)}")).mkdir()  # a folder where the file should be
    report = json.loads(export("--json").stdout)
    assert report["written"] == 1
    assert [error["field"] for error in report["errors"]] == ["file"]


def test_a_full_disk_leaves_no_half_file_and_may_be_tried_again(tmp_path: Path):
    before = sorted(tmp_path.iterdir())
    limited = (
        "import resource, signal, sys; from pathlib import Path; from soulspot.export.ddex.job import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))\n"
        "try: write_whole(Path(sys.argv[1]), b'x' * 4096)\nexcept OSError as error: print(error.errno)"
    )
    ended = subprocess.run([sys.executable, "-c", limited, str(tmp_path / "a.xml")], capture_output=True, text=True)
    assert ended.stdout.strip().isdigit(), ended.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_killed_export_left_half_written_is_taken_away(fill: Fill, export: Export, tmp_path: Path):
    fill(row(1, 1))
    (tmp_path / "out").mkdir()
    stale = tmp_path / "out" / ".0946-1234.xml.999999999.part"
    alive = tmp_path / "out" / f".0946-1234.xml.{os.getpid()}.part"
    for part in (stale, alive):
        part.write_text("half")
    export()
    assert not stale.exists()
    assert alive.exists()


@pytest.mark.parametrize("ident", ["../../etc/passwd", "a/b\\c:d", "..", "", "ÄÖ" * 200, "CON", "-rf"])
def test_a_file_name_is_safe_and_tells_releases_of_the_same_barcode_apart(ident, tmp_path: Path):
    name = file_name(ident, "one")
    assert name != file_name(ident, "two")
    assert name == file_name(ident, "one")
    write_whole(tmp_path / name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not name.startswith(("-", "."))


@pytest.mark.process
def test_ctrl_c_leaves_whole_files_only_and_says_how_far_it_came(fill: Fill, export: Export, tmp_path: Path):
    fill(*(row(n, n // 4, number=n % 4 + 1) for n in range(4, 16_000)))
    export("--query", "nothing that is there")  # for the configuration
    # a shell that runs the tests in the background lets them, and all they start, ignore Ctrl-C
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heed}; from soulspot.cli.main import main; main()", "export", "--format", "ddex",
               "--out", str(tmp_path / "out"),
               "--processes", "2", "--config", str(tmp_path / "config.toml")]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        # not the first line of progress: a fast machine is ready with all before it
        while process.poll() is None and not any((tmp_path / "out").glob("*.xml")):
            os.sched_yield()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
        said = process.stderr.read()
        assert process.wait(30) == 130, said
    assert "every file that was written is whole" in said
    assert "Traceback" not in said
    files = list((tmp_path / "out").iterdir())
    assert 0 < len(files) < 3_999
    assert all(path.suffix == ".xml" for path in files)
    for path in files:
        ElementTree.parse(path)
