"""Requests used and quality reached: `python -m benchmarks.requests` prints both with their aims.

    python -m benchmarks.requests [--kind KIND ...] [--tracks 1200] [--seed N ...]
                                  [--catalogue 12000]
                                  [--no-limits] [--mode extended|development] [--explain N] [--json]
                                  [--offline never|missing|always [--names-only]]

For each kind, a library of real audio files (headers only) is made from an invented catalogue in
which popular titles have over a hundred recordings. The real service enriches it over the sandbox,
with the shipped defaults and under the public limits. The servers count the requests. With several
seeds the counts are pooled.

A track is right when the accepted recording is the true one or its twin: a recording of the same
folded title, artist and version words, and a length within 1 s ("alike" counts the twins). A track
that fits several recordings is not counted as findable. The requests for Spotify are those beyond
the requests of the same library without Spotify."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.libraries.judging import Finding, Tally, explained, recordings, shown_reasons, spotify_tracks
from benchmarks.libraries.kinds import KINDS, Mode
from benchmarks.libraries.truth import Labelled
from soulspot.assembly import open_service
from soulspot.config.loading import Config, make_config
from soulspot.models import EnrichedTrack
from soulspot.pipeline import wait_until_settled
from soulspot.pipeline.service import EnrichmentService
from soulspot.providers.catalogue import build_catalogue
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.dumps import write_canonical_dump, write_core_dump
from soulspot.sandbox.library.sample import write_library
from soulspot.store import enriched, lookup_history, tracks
from soulspot.telemetry import configure_logging

_UNHURRIED = 1000.0  # requests a second where nobody counts them
_COLUMNS = {"listenbrainz": "LB", "labs": "LB", "musicbrainz": "MB", "spotify": "Spotify", "token": "Spotify"}
_WAIT = 60.0  # seconds: what `soulspot enrich` waits for

Rows = list[tuple[Labelled, EnrichedTrack, list[str]]]


@dataclass(slots=True)
class Measured:
    """The measurements of one kind: requests by service, judgements, seconds from scan to end."""

    kind: str
    mode: Mode | None
    requests: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    seconds: float = 0.0
    postponed: int = 0
    recordings: list[Finding] = field(default_factory=list)
    spotify: list[Finding] = field(default_factory=list)
    shares: dict[str, float] = field(
        default_factory=dict
    )  # as store/earlier_answers.py has them; of one seed, the last

    def per_thousand(self, count: int) -> float:
        return 1000 * count / max(1, len(self.recordings))

    @property
    def total(self) -> float:
        """Requests per 1,000 tracks to all services."""
        return self.per_thousand(self.requests.total())


def config_for(
    sandbox: Sandbox, library: Path, database: Path, mode: Mode | None, limits: bool, offline: str | None
) -> Config:
    """Return the shipped defaults with the local servers; without `limits`, no rate limit. With
    `offline` the catalogue beside the database is asked first, and services so far."""
    hurry: dict[str, Any] = {} if limits else {"rate": _UNHURRIED}
    spotify = {"client_id": "bench", "client_secret": "bench"} if mode else {"enabled": False}
    return make_config(
        {
            "library": {"paths": [str(library)], "watch": False},
            "database": {"path": str(database)},
            "providers": {
                "catalogue": {"enabled": True, "online": offline} if offline else {},
                "musicbrainz": {
                    "base_url": sandbox.musicbrainz_url, "contact": "bench@example.org", **hurry
                },
                "listenbrainz": {
                    "base_url": sandbox.listenbrainz_url, "labs_url": sandbox.labs_url, **hurry
                },
                "spotify": {
                    "base_url": sandbox.spotify_url, "token_url": sandbox.token_url, **spotify, **hurry
                },
            },
        }
    )  # fmt: skip


async def measure(
    kind: str,
    catalogue: Catalogue,
    folder: Path,
    *,
    count: int,
    seed: int,
    limits: bool,
    mode: Mode | None,
    offline: str | None = None,
    names_only: bool = False,
) -> Measured:
    """Make a library of this kind below `folder`, enrich it, and judge it."""
    library, database = folder / "library", folder / "soulspot.db"
    labelled = await asyncio.to_thread(KINDS[kind].build, catalogue, count, seed)
    files = await asyncio.to_thread(write_library, [one.file for one in labelled], library, header_only=True)
    if offline:
        dumps: Sequence[Path] = (
            [write_canonical_dump(catalogue, folder / "dump")]
            if names_only
            else write_core_dump(catalogue, folder / "dump", level=1)
        )
        await asyncio.to_thread(build_catalogue, dumps, database.with_name("catalogue.db"))
    behaviour = Behaviour(seed=seed, limits=limits, spotify_mode=mode or "extended")
    measured = Measured(kind, mode)
    async with Sandbox(catalogue, behaviour) as sandbox:
        await asyncio.to_thread(sandbox.warm)
        config = config_for(sandbox, library, database, mode, limits, offline)
        began = time.perf_counter()
        async with open_service(config) as service:
            await service.scan()
            measured.postponed = sum(one.lookups for one in await wait_until_settled(service, _WAIT))
            measured.seconds = time.perf_counter() - began
            measured.shares = await service.database.read(lookup_history.outcome_shares)
            rows = await _rows(service, [os.fsencode(file.path) for file in files], labelled)
        for request in sandbox.requests:
            measured.requests[_COLUMNS[request.service]] += 1
            measured.refused += request.status in (429, 503)
    measured.recordings = list(recordings(catalogue, ((one, row, why) for one, row, why in rows)))
    if mode:
        measured.spotify = list(spotify_tracks(catalogue, rows))
    return measured


async def _rows(service: EnrichmentService, paths: Sequence[bytes], labelled: Sequence[Labelled]) -> Rows:
    """Yield each file's truth, its row, and its candidates in words."""
    ids = await service.database.read(lambda c: tracks.find_ids_by_path(c, paths))
    found = await service.database.read(lambda c: enriched.load(c, ids.values()))
    candidates: dict[int, list[tuple[str, float, str, str]]] = {}
    for track_id, *shown in await service.database.read(
        lambda c: c.execute(
            "SELECT track_id, provider || ' ' || entity_id, score, verdict, reasons FROM candidates"
            " ORDER BY track_id, provider, rank"
        ).fetchall()
    ):
        candidates.setdefault(track_id, []).append(tuple(shown))
    return [
        (one, found[ids[path]], shown_reasons(candidates.get(ids[path], ())))
        for path, one in zip(paths, labelled, strict=True)
    ]


def pooled(parts: Sequence[Measured]) -> Measured:
    """Return several runs of one kind as one."""
    whole = Measured(parts[0].kind, parts[0].mode)
    for part in parts:
        whole.requests += part.requests
        whole.refused += part.refused
        whole.seconds += part.seconds
        whole.postponed += part.postponed
        whole.recordings += part.recordings
        whole.spotify += part.spotify
        whole.shares |= part.shares
    return whole


def table(all_measured: Mapping[str, Measured]) -> Iterator[str]:
    """Return the Markdown table."""
    yield (
        "| library | tracks | LB | MB | Spotify | requests per 1,000 (aim) | precision (aim) | recall (aim) "
        "| wrong | alike | findable | review | unmatched | minutes |"
    )
    yield "|---|" + "---:|" * 13
    for measured in all_measured.values():
        yield from _lines(measured, all_measured)


def _lines(measured: Measured, others: Mapping[str, Measured]) -> Iterator[str]:
    aim, title = KINDS[measured.kind].aim, KINDS[measured.kind].title
    costs = [f"{measured.per_thousand(measured.requests[name]):.1f}" for name in ("LB", "MB", "Spotify")]
    total = f"{measured.total:.1f}"
    if aim.beyond and aim.beyond in others:
        total = f"{measured.total - others[aim.beyond].total:.1f} more"
    total += f" ({aim.requests:g})" if aim.requests else ""
    minutes = f"{measured.seconds / 60:.1f}"
    judged = [("", Tally.of(measured.recordings))]
    if measured.spotify and KINDS[measured.kind].aim.accepted is None:
        judged = [(": recordings", judged[0][1]), (": Spotify ids", Tally.of(measured.spotify))]
    for n, (what, tally) in enumerate(judged):
        last = n == len(judged) - 1
        precision = f"{tally.precision:.4f}" + (f" ({aim.precision})" if aim.precision and last else "")
        recall = f"{tally.recall:.4f}" + (f" ({aim.recall})" if aim.recall and last else "")
        if aim.accepted is not None:
            precision, recall = f"accepted {tally.accepted / tally.tracks:.2%} ({aim.accepted:.1%})", ""
        yield "| " + " | ".join([
            title + what, str(tally.tracks), *(costs if not n else ("", "", "")), total if not n else "", precision,
            recall, str(tally.results["wrong"]), str(tally.results["twin"]), str(tally.findable),
            str(tally.statuses["review"]), str(tally.statuses["unmatched"]), minutes if not n else "",
        ]) + " |"  # fmt: skip


def document(all_measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Return the numbers of the table JSON-ready."""
    return {
        name: {
            "tracks": len(one.recordings), "requests": dict(one.requests), "refused": one.refused,
            "requests_per_1000": round(one.total, 2), "seconds": round(one.seconds, 1), "postponed": one.postponed,
            "recordings": _numbers(one.recordings), "spotify": _numbers(one.spotify) if one.spotify else None,
            "shares": {sort: round(share, 3) for sort, share in sorted(one.shares.items())},
        }
        for name, one in all_measured.items()
    }  # fmt: skip


def _numbers(findings: Sequence[Finding]) -> dict[str, Any]:
    tally = Tally.of(findings)
    return {
        "precision": round(tally.precision, 5), "recall": round(tally.recall, 5), "accepted": tally.accepted,
        "findable": tally.findable, "results": dict(tally.results), "status": dict(tally.statuses),
    }  # fmt: skip


async def run(options: argparse.Namespace) -> tuple[dict[str, Measured], dict[int, Catalogue]]:
    """Measure the wanted kinds and the kinds they are compared with, pooled over the seeds."""
    wanted = dict.fromkeys(options.kind or KINDS)
    for name in [KINDS[name].aim.beyond for name in wanted]:
        wanted = {name: None, **wanted} if name and name not in wanted else wanted
    parts: dict[str, list[Measured]] = {name: [] for name in wanted}
    catalogues = {}
    for seed in options.seed or [1]:
        catalogue = catalogues[seed] = await asyncio.to_thread(invent_catalogue, seed, options.catalogue)
        for name in wanted:
            with tempfile.TemporaryDirectory(prefix="soulspot-requests-") as folder:
                configure_logging("json", "warning", Path(folder) / "log")
                print(f"{name}, seed {seed} ...", file=sys.stderr, flush=True)
                parts[name].append(
                    await measure(
                        name, catalogue, Path(folder), count=options.tracks, seed=seed,
                        limits=not options.no_limits, mode=options.mode or KINDS[name].mode,
                        offline=options.offline, names_only=options.names_only,
                    )
                )  # fmt: skip
    return {name: pooled(list_) for name, list_ in parts.items()}, catalogues


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.requests", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind; may be repeated")
    parser.add_argument("--tracks", type=int, default=1200, help="tracks of each kind and seed")
    parser.add_argument("--catalogue", type=int, default=12_000, help="ordinary recordings in the catalogue")
    parser.add_argument("--seed", type=int, action="append", help="may be repeated: counts are pooled")
    parser.add_argument("--no-limits", action="store_true", help="no public limits and no pace: quick")
    parser.add_argument("--mode", choices=("extended", "development"), help="ask Spotify for every kind, as this")
    parser.add_argument("--offline", choices=("never", "missing", "always"),
                        help="ask a catalogue of the invented dump first, and the services so far")  # fmt: skip
    parser.add_argument("--names-only", action="store_true", help="with --offline: a catalogue of the canonical dump")
    parser.add_argument("--explain", type=int, metavar="N", help="what is wrong or missed, with N examples each")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    options = parser.parse_args(arguments)
    all_measured, catalogues = asyncio.run(run(options))
    if options.json:
        print(json.dumps(document(all_measured), indent=1))
        return
    print("\n".join(table(all_measured)))
    if options.explain is not None:
        for name, one in all_measured.items():
            for what, findings in (("recordings", one.recordings), ("Spotify ids", one.spotify)):
                if findings:
                    print(f"\n## {name}: {what}")
                    print("\n".join(explained(list(catalogues.values()), findings, options.explain)))


if __name__ == "__main__":
    main()
