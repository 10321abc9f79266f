"""What kills cost: `python -m benchmarks.kills`.

    python -m benchmarks.kills [--tracks 20000] [--kills 50] [--seed 1] [--json]

Queues lookups for as many tracks, then starts a daemon, hands it an import of as many rows over
HTTP, and kills it (SIGKILL) as soon as 0.05 s after each of its starts while it reads the file and
works off the queue. A last life ends the work. Prints what was lost or doubled, which should be
nothing, and the questions that had to be asked again. Ends with 1 when anything was lost."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from soulspot.sandbox import Behaviour, Catalogue, Recording, Sandbox, invent_catalogue
from tests.support.flow import looking_at, rows, settings, soulspot, write_config, write_rows
from tests.support.lives import WORK_LEFT, Life

SHORTEST, LONGEST = 0.05, 4.5  # seconds of a life, of which most are short
SMALL_BATCHES = {
    "providers__musicbrainz__batch_size": 12,
    "providers__listenbrainz__batch_size": 25,
    "providers__spotify__enabled": False,
}
DRAINED_WITHIN = 900.0  # seconds
ANSWERED = ("done", "missing")


@dataclass(slots=True)
class Outcome:
    """What is left after the last life. The counts from `rows_lost` to `wrong` should be 0."""

    kills: int
    kills_at_work: int
    rows: int
    lookups: int
    rows_lost: int = 0
    rows_twice: int = 0
    lookups_lost: int = 0
    lookups_unanswered: int = 0
    wrong: int = 0
    asked_again: int = 0
    uploads_left: int = 0
    integrity: str = "ok"
    operation: str = ""
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost, doubled or left over."""
        faults = self.rows_lost + self.rows_twice + self.lookups_lost + self.lookups_unanswered + self.wrong
        return faults + self.uploads_left == 0 and (self.integrity, self.operation) == ("ok", "completed")


class Killing:
    """One run over a folder of its own. `tracks` are queued beforehand, and as many imported."""

    def __init__(self, folder: Path, *, tracks: int, kills: int, seed: int) -> None:
        self._folder, self._tracks, self._kills = folder, tracks, kills
        self._rng = random.Random(f"kills {seed}")
        self._catalogue = invent_catalogue(seed, int(tracks * 2.1))
        self._database = folder / "soulspot.db"
        self._seen: set[int] = set()  # lookups that were in the database at an earlier kill
        self._outcome = Outcome(kills, 0, 2 * tracks, 0)

    async def run(self) -> Outcome:
        """Kill, let the last life end the work, and look what there is."""
        began = time.perf_counter()
        wanted = _wanted(self._catalogue, 2 * self._tracks)
        records = [_record(self._catalogue, number, recording) for number, recording in enumerate(wanted)]
        before, accepted = (
            write_rows(self._folder / f"{name}.csv", some)
            for name, some in (("before", records[: self._tracks]), ("accepted", records[self._tracks :]))
        )
        async with Sandbox(self._catalogue, Behaviour(limits=False, lb_limit=1_000_000)) as sandbox:
            await asyncio.to_thread(sandbox.warm)
            config = write_config(self._folder / "config.toml", settings(sandbox, self._database, **SMALL_BATCHES))
            imported = await soulspot("import", before, "--config", config, "--json")
            if imported.code:
                raise RuntimeError(imported.err)
            number = await self._killed_lives(config, accepted)
            await self._last_life(config)
            asked = Counter[str]()
            for request in sandbox.requests:
                asked[request.path] += request.body_items
        self._look(records, wanted, number, asked)
        self._outcome.seconds = round(time.perf_counter() - began, 1)
        return self._outcome

    async def _killed_lives(self, config: Path, accepted: Path) -> int:
        """Live and die as often as asked for. Return the number of the import."""
        number = 0
        for kill in range(self._kills):
            life = await Life.begin(config)
            if kill == 0:
                number = await _import(await life.address, accepted)
            # the square makes short lives frequent: those find the daemon in its start
            await asyncio.sleep(SHORTEST + (LONGEST - SHORTEST) * self._rng.random() ** 2)
            if life.process.returncode is not None:
                raise RuntimeError("the daemon ended by itself:\n" + "\n".join(life.last))
            await life.end(signal.SIGKILL)
            await asyncio.to_thread(self._after_a_kill)
        return number

    def _after_a_kill(self) -> None:
        """Compare the queue with that of the kill before, and have SQLite look at every page."""
        with looking_at(self._database) as connection:
            there = {lookup_id for (lookup_id,) in connection.execute("SELECT lookup_id FROM lookups")}
            self._outcome.lookups_lost += len(self._seen - there)
            self._seen = there
            check = connection.execute("PRAGMA quick_check").fetchone()[0]
            if check != "ok":
                self._outcome.integrity = check
            self._outcome.kills_at_work += connection.execute(WORK_LEFT).fetchone()[0] > 0

    async def _last_life(self, config: Path) -> None:
        """Let a daemon work until the import and the queue are done."""
        life = await Life.begin(config)
        is_done = await life.rest(self._database, DRAINED_WITHIN)
        code = await life.end(signal.SIGTERM)
        if code or not is_done:
            raise RuntimeError(f"the last life ended with {code}, its work done: {is_done}\n" + "\n".join(life.last))

    def _look(self, records: Sequence[Any], wanted: Sequence[Recording], number: int, asked: Counter[str]) -> None:
        outcome = self._outcome
        found = rows(self._database, "SELECT source_key, title, status, mb_recording_id FROM enriched_tracks")
        keys = Counter(row["source_key"] for row in found)
        outcome.rows_lost = sum(not keys[record["key"]] for record in records)
        outcome.rows_twice = len(found) - len(keys)
        # what another track's answer would do: a row that names its recording needs no choice
        outcome.wrong = sum(
            row["status"] == "accepted" and row["mb_recording_id"] != records[int(row["source_key"])]["mb_recording_id"]
            for row in found
            if "mb_recording_id" in records[int(row["source_key"])]
        )
        states = rows(self._database, "SELECT state, count(*) AS n FROM lookups GROUP BY state")
        outcome.lookups = sum(row["n"] for row in states)
        outcome.lookups_unanswered = sum(row["n"] for row in states if row["state"] not in ANSWERED)
        (there,) = rows(
            self._database,
            "SELECT count(*) AS n FROM lookups WHERE provider = 'listenbrainz' AND kind = 'recording'",
        )
        outcome.asked_again = asked["/1/metadata/recording/"] - there["n"]
        (check,) = rows(self._database, "PRAGMA integrity_check")
        if outcome.integrity == "ok":
            outcome.integrity = check["integrity_check"]
        (operation,) = rows(self._database, f"SELECT status FROM batch_operations WHERE id = {number}")
        outcome.operation = operation["status"]
        with suppress(FileNotFoundError):
            outcome.uploads_left = len(os.listdir(f"{self._database}-uploads"))


def _wanted(catalogue: Catalogue, count: int) -> list[Recording]:
    return [one for one in catalogue.recordings if one.title and not one.video][:count]


def _record(catalogue: Catalogue, number: int, recording: Recording) -> dict[str, Any]:
    """Return an import row with the recording id for half of the tracks, else with its own ISRC."""
    row = {"key": str(number), "title": recording.title, "artist": recording.artist}
    if recording.duration_ms:
        row["duration_ms"] = str(recording.duration_ms)
    # an ISRC that several recordings share would leave the choice to the matcher
    if number % 2 and len(recording.isrcs) == 1 == len(catalogue.recordings_with_isrc(recording.isrcs[0])):
        return row | {"isrc": recording.isrcs[0]}
    return row | {"mb_recording_id": recording.mbid}


async def _import(address: str, file: Path) -> int:
    async with (
        aiohttp.ClientSession(address) as client,
        client.post("/api/v1/import", params={"name": file.name}, data=file.read_bytes()) as answer,
    ):
        if answer.status != 202:
            raise RuntimeError(f"the import was not accepted: {answer.status} {await answer.text()}")
        return int((await answer.json())["operation_id"])


def table(outcome: Outcome) -> str:
    """Return the outcome as a Markdown table of one row."""
    columns: dict[str, Callable[[Outcome], Any]] = {
        "kills": lambda o: o.kills,
        "with work left": lambda o: o.kills_at_work,
        "rows": lambda o: o.rows,
        "rows lost": lambda o: o.rows_lost,
        "rows twice": lambda o: o.rows_twice,
        "lookups": lambda o: o.lookups,
        "lookups lost": lambda o: o.lookups_lost,
        "unanswered": lambda o: o.lookups_unanswered,
        "asked again": lambda o: o.asked_again,
        "another's answer": lambda o: o.wrong,
        "import": lambda o: o.operation,
        "integrity": lambda o: o.integrity,
        "seconds": lambda o: o.seconds,
    }
    cells = [f"{value:,}" if isinstance(value := show(outcome), int) else str(value) for show in columns.values()]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, ["---:"] * len(columns), cells))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, print its table, and return 1 when anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--tracks", type=int, default=20_000, help="queued beforehand, and as many imported")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soulspot-kills-") as folder:
        killing = Killing(Path(folder), tracks=options.tracks, kills=options.kills, seed=options.seed)
        outcome = asyncio.run(killing.run())
    print(json.dumps(asdict(outcome), indent=1) if options.json else table(outcome))
    return 0 if outcome.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
