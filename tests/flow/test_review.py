"""Review by hand with real processes: beside a daemon and alone, refreshes and moved files."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.catalogue.values import Recording, credit_text
from soulspot.sandbox.library.sample import write_sample_library
from soulspot.store.ownership import Ownership
from tests.flow.test_daemon import daemon
from tests.support.flow import Ended, rows, settings, soulspot, write_config, write_rows

pytestmark = pytest.mark.process

NOWHERE = "00000000-0000-4000-8000-000000000001"  # a well-formed id that nobody has


@dataclass
class Desk:
    """A library with `tracks` in review, and the review commands on it."""

    sandbox: Sandbox
    catalogue: Catalogue
    config: Path
    database: Path

    async def review(self, *arguments: object) -> Ended:
        ended = await soulspot("review", *map(str, arguments), "--config", self.config, COLUMNS="80")
        assert "Traceback" not in ended.err
        return ended

    async def asked(self, *arguments: object) -> Any:
        """Run a review command with --json and return its document."""
        ended = await self.review(*arguments, "--json")
        assert ended.code == 0, ended.err
        return ended.json

    async def enriched(self, *arguments: object) -> Ended:
        ended = await soulspot("enrich", *map(str, arguments), "--config", self.config, "--json")
        assert ended.code in (0, 1), ended.err
        return ended

    def row(self, track_id: int) -> dict[str, Any]:
        [found] = rows(self.database, f"SELECT * FROM enriched_tracks WHERE track_id = {track_id}")
        return found

    def another(self) -> Recording:
        """Return the id of a recording that is no candidate of any of the tracks."""
        known = {row["entity_id"] for row in rows(self.database, "SELECT entity_id FROM candidates")}
        return next(one for one in self.catalogue.recordings if one.mbid not in known and one.duration_ms)


@asynccontextmanager
async def in_review(tmp_path: Path, count: int = 3, **more: Any) -> AsyncIterator[Desk]:
    """Return songs with several recordings in the catalogue, and no length to tell them apart."""
    catalogue = invent_catalogue(4, 1500)
    names = Counter((one.title, credit_text(one.credit)) for one in catalogue.recordings)
    songs = [name for name, times in names.items() if times > 1][:count]
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "db", **more)
        desk = Desk(sandbox, catalogue, write_config(tmp_path / "config.toml", values), tmp_path / "db")
        listed = [{"key": str(n), "title": title, "artist": artist} for n, (title, artist) in enumerate(songs)]
        await soulspot("import", write_rows(tmp_path / "songs.csv", listed), "--config", desk.config)
        await desk.enriched()
        assert {row["status"] for row in rows(desk.database)} == {"review"}
        yield desk


# --- without a daemon -----------------------------------------------------------------------------


async def test_the_list_names_the_next_step_and_the_comparison_marks_differences_in_eighty_columns(
    tmp_path: Path,
) -> None:
    async with in_review(tmp_path) as desk:
        listed = await desk.review("list", "--limit", "2")
        assert listed.code == 0
        assert "2 of 3 in review" in listed.out
        assert "soulspot review list --after 2" in listed.out
        assert "3 of 3" not in listed.out
        assert [one["track_id"] for one in (await desk.asked("list", "--after", "2"))["review"]] == [3]
        shown = await desk.review("show", 1)
        assert shown.code == 0
        assert "≠ " in shown.out
        assert "length unknown" in shown.out
        tables = [line for line in shown.out.splitlines() if not line.startswith("   ")]
        # the next step carries the path of the configuration, which may be long
        assert [line for line in tables if len(line) > 80 and "--config" not in line] == []
        case = await desk.asked("show", 1)
        assert case["candidates"][0]["url"].startswith("https://musicbrainz.org/recording/")
        assert set(case["candidates"][0]["same"].values()) <= {True, False, None}


async def test_the_command_lists_the_open_question_of_a_track_that_only_spotify_identified(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk:
        candidates = (await desk.asked("show", 1))["candidates"]
        with closing(sqlite3.connect(desk.database)) as database, database:
            database.execute(
                "UPDATE enriched_tracks SET status = 'accepted', spotify_track_id = ? WHERE track_id = 1", ("4" * 22,)
            )
        listed = await desk.asked("list")
        assert ([one["track_id"] for one in listed["review"]], listed["total"]) == ([1, 2, 3], 3)
        best = next(one["entity_id"] for one in candidates if one["provider"] == "musicbrainz")
        assert (await desk.review("accept", 1, best)).code == 0
        assert [one["track_id"] for one in (await desk.asked("list"))["review"]] == [2, 3]


async def test_a_candidate_is_accepted_rejected_and_taken_back_without_a_daemon(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk:
        best = (await desk.asked("show", 1))["candidates"][0]
        assert (await desk.review("accept", 1)).code == 0
        row = desk.row(1)
        assert (row["status"], row["mb_recording_id"], row["confidence"]) == (
            "accepted",
            best["entity_id"],
            1.0,
        )
        undone = await desk.review("undo", 1)
        assert "1 decision taken back" in undone.out
        await desk.enriched()
        assert desk.row(1)["status"] == "review"
        assert (await desk.review("reject", 1)).code == 0
        await desk.enriched()
        assert (desk.row(1)["status"], desk.row(1)["mb_recording_id"]) == ("unmatched", None)
        case = await desk.asked("show", 1)
        assert case["candidates"] == []
        assert {one["verdict"] for one in case["decisions"]} == {"rejected"}
        assert (await desk.asked("list"))["total"] == 2


async def test_an_id_by_hand_is_fetched_and_its_facts_fill_the_row(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk:
        chosen = desk.another()
        ended = await desk.review(
            "accept", 1, f"https://musicbrainz.org/recording/{chosen.mbid}", "--reason", "heard it"
        )
        assert ended.code == 0, ended.err
        row = desk.row(1)
        assert (row["mb_recording_id"], row["title"]) == (chosen.mbid, chosen.title)
        assert row["duration_ms"] is not None


async def test_an_unknown_id_by_hand_does_not_stay_accepted_and_earlier_decisions_stand(
    tmp_path: Path,
) -> None:
    async with in_review(tmp_path) as desk:
        best = (await desk.asked("show", 2))["candidates"][0]["entity_id"]
        await desk.review("reject", 2, best, "--reason", "another take")
        before = await desk.asked("show", 2)
        unknown = await desk.review("accept", 2, NOWHERE)
        assert unknown.code == 1
        assert f"musicbrainz does not know {NOWHERE}" in unknown.err
        after = await desk.asked("show", 2)
        assert [(one["entity_id"], one["verdict"], one["reason"]) for one in after["decisions"]] == [
            (best, "rejected", "another take")
        ]
        assert after["accepted"] == before["accepted"]
        await desk.enriched()
        assert desk.row(2)["mb_recording_id"] != NOWHERE
        said = await desk.review("accept", 1, NOWHERE, "--json")
        assert (said.code, said.json["exit_code"]) == (1, 1)


async def test_an_id_by_hand_that_is_not_answered_in_time_stays_accepted_and_says_so(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk:
        silent = {f"providers__{name}": "http://127.0.0.1:9/ws/2"
                  for name in ("musicbrainz__base_url", "listenbrainz__base_url", "listenbrainz__labs_url")}  # fmt: skip
        write_config(desk.config, settings(desk.sandbox, desk.database, **silent))
        ended = await desk.review("accept", 1, NOWHERE, "--wait", "0")
        assert ended.code == 1
        assert "has not answered yet; the decision stands" in ended.err
        assert desk.row(1)["mb_recording_id"] == NOWHERE


async def test_a_search_by_hand_finds_recordings_that_can_be_accepted(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk:
        chosen = desk.another()
        words = f"{credit_text(chosen.credit)} - {chosen.title}"
        found = await desk.asked("search", 1, words)
        assert chosen.mbid in [one["entity_id"] for one in found["results"]]
        shown = await desk.review("search", 1, words, "--limit", "1")
        assert "next: soulspot review accept 1 ID" in shown.out
        assert (await desk.review("accept", 1, chosen.mbid)).code == 0
        assert desk.row(1)["title"] == chosen.title
        nothing = await desk.review("search", 1, "Qqqq Zzzzz - Xxyyzz Vvww")
        assert nothing.code == 0
        assert "knows nothing by these words" in nothing.out
        on_spotify = await desk.asked("search", 2, words, "--provider", "spotify")
        assert {one["provider"] for one in on_spotify["results"]} <= {"spotify"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("accept", "1", "nonsense"), "is no id: give a MusicBrainz recording id"),
        (("accept", "1", f"https://musicbrainz.org/release/{NOWHERE}"), "it names a release of MusicBrainz"),
        (("accept", "1", NOWHERE, "--provider", "spotify"), "not of spotify"),
        (("accept", "1", "--provider", "listenbrainz"), "'listenbrainz' is not one of 'musicbrainz', 'spotify'"),
        (("accept", "77"), "there is no track 77"),
        (("show", "/no/such/file.mp3"), "no track of this path"),
        (("reject", "77"), "there is no track 77"),
        (("undo", "77"), "there is no track 77"),
        (("search", "77", "a - b"), "there is no track 77"),
        (("search", "1", " "), "words"),
    ],
)  # fmt: skip
async def test_impossible_arguments_are_wrong_usage_and_say_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    values = {"database.path": str(tmp_path / "db"), "providers.musicbrainz.contact": "a@example.org",
              "providers.musicbrainz.base_url": "http://127.0.0.1:9", "http.listen": "127.0.0.1:0",
              "providers.listenbrainz.enabled": False}  # fmt: skip
    config = write_config(tmp_path / "config.toml", values)
    song = [{"key": "a", "title": "One", "artist": "Two"}]
    await soulspot("import", write_rows(tmp_path / "a.csv", song), "--config", config)
    ended = await soulspot("review", *arguments, "--config", config)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


async def test_a_missing_database_and_another_command_at_work_are_reported(tmp_path: Path) -> None:
    values = {"database.path": str(tmp_path / "db"), "providers.musicbrainz.contact": "a@example.org"}
    config = write_config(tmp_path / "config.toml", values)
    ended = await soulspot("review", "list", "--config", config)
    assert ended.code == 1
    assert "there is no database yet" in ended.err
    await soulspot("import", write_rows(tmp_path / "a.csv", [{"title": "One"}]), "--config", config)
    with Ownership(tmp_path / "db"):
        assert (await soulspot("review", "show", "1", "--config", config)).code == 0
        owned = await soulspot("review", "accept", "1", NOWHERE, "--config", config)
    assert owned.code == 75


# --- decisions of people outlive everything -------------------------------------------------------


async def test_a_refresh_undoes_nothing_and_goes_on_refreshing_other_fields(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk:
        chosen = desk.another()
        assert (await desk.review("accept", 1, chosen.mbid)).code == 0
        rejected = [one["entity_id"] for one in (await desk.asked("show", 2))["candidates"]]
        assert (await desk.review("reject", 2)).code == 0
        await desk.enriched()
        before = len(desk.sandbox.requests)
        ended = await soulspot("enrich", "--force", "--config", desk.config)
        assert ended.code == 0, ended.err
        assert "--force sends" in ended.err
        assert len(desk.sandbox.requests) > before
        assert (desk.row(1)["status"], desk.row(1)["mb_recording_id"]) == ("accepted", chosen.mbid)
        found = rows(desk.database, "SELECT entity_id FROM candidates WHERE track_id = 2")
        assert {row["entity_id"] for row in found}.isdisjoint(rejected)


async def test_decisions_follow_a_file_that_moves_and_tracks_are_named_by_path(tmp_path: Path) -> None:
    catalogue, music = invent_catalogue(4, 1500), tmp_path / "music"
    write_sample_library(catalogue, music, seed=4, tracks=20)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "db", library__paths=[str(music)])
        desk = Desk(sandbox, catalogue, write_config(tmp_path / "config.toml", values), tmp_path / "db")
        await desk.enriched()
        [first, *_] = rows(desk.database, "SELECT * FROM enriched_tracks WHERE mb_recording_id IS NOT NULL")
        place, chosen = Path(os.fsdecode(first["path"])), desk.another()
        case = await desk.asked("accept", place, chosen.mbid)
        assert (case["track_id"], case["path"]) == (first["track_id"], str(place))
        moved = music / "Elsewhere" / place.name
        moved.parent.mkdir()
        place.rename(moved)
        await desk.enriched()
        case = await desk.asked("show", moved)
        assert (case["track_id"], case["accepted"]["musicbrainz"]) == (first["track_id"], chosen.mbid)
        assert desk.row(first["track_id"])["title"] == chosen.title
        assert (await desk.review("show", place)).code == 2


# --- beside a daemon ------------------------------------------------------------------------------


async def test_beside_a_daemon_every_command_goes_through_it(tmp_path: Path) -> None:
    async with in_review(tmp_path) as desk, daemon(desk.config) as running:
        await running.hears("daemon_ready")
        assert (await desk.asked("list"))["total"] == 3
        page = await desk.asked("list", "--limit", "1")
        assert page["next"] == 1
        best = page["review"][0]["best"]
        case = await desk.asked("accept", 1)
        assert case["accepted"]["musicbrainz"] == best["entity_id"]
        chosen = desk.another()
        found = await desk.asked("search", 2, f"{credit_text(chosen.credit)} - {chosen.title}")
        assert chosen.mbid in [one["entity_id"] for one in found["results"]]
        other = desk.catalogue.recordings[-1]
        assert (await desk.review("accept", 2, other.mbid)).code == 0
        assert (desk.row(2)["mb_recording_id"], desk.row(2)["title"]) == (other.mbid, other.title)
        said = await desk.review("reject", 3)
        assert said.code == 0
        async with asyncio.timeout(60):
            while desk.row(3)["status"] == "pending":  # noqa: ASYNC110 - the daemon is another process
                await asyncio.sleep(0.05)
        assert desk.row(3)["status"] == "unmatched"
        assert (await desk.asked("undo", 3))["taken_back"] > 0
        for wrong in (("show", "77"), ("accept", "1", "nonsense"), ("show", "/no/such/file"), ("undo", "77")):
            assert (await desk.review(*wrong)).code == 2
        ended = await soulspot("enrich", "--force", "--config", desk.config)
        assert ended.code == 0, ended.err
        assert "--force sends" in ended.err
        assert (desk.row(1)["mb_recording_id"], desk.row(2)["mb_recording_id"]) == (
            best["entity_id"],
            other.mbid,
        )
        by = rows(desk.database, "SELECT DISTINCT by FROM decisions")
        assert by
        assert by[0]["by"] != "http"
        assert await running.ends(signal.SIGTERM) == 0
