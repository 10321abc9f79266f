"""Quality of the matcher: `python -m benchmarks.matching` prints precision, recall and F1.

The labelled records are found through SOULSPOT_SHARED (default ../shared) and are not shipped:

MusicBrainz 20K, train and valid: records of five sources with generated noise; truth is the
cluster. Two records are compared when they share a rare word, or its beginning, in title, artist or
album ("blocking"); a true pair outside every block counts as missed. Every pair is scored by
`compare_records` with the shipped policy.

ListenBrainz mapping cases: every case, spelled untidily, is compared with all cases. It must find
itself and nothing else at the accept threshold."""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from soulspot.matching import MatchPolicy, compare_records, normalise_tags
from soulspot.models import TrackTags
from soulspot.text import latin

SHARED = Path(os.environ.get("SOULSPOT_SHARED", "../shared"))
MB20K = "data/matching/mb20k_train_valid.csv.gz"
LISTENBRAINZ = "data/matching/listenbrainz_mapping_test_cases.csv"
BLOCK_LIMIT = 40  # a word in more records than this is no block


@dataclass(frozen=True)
class Quality:
    """Counts of pairs, and precision, recall and F1; `truth` is the number of true pairs."""

    threshold: float
    found: int
    right: int
    truth: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.truth if self.truth else 1.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def __str__(self) -> str:
        return (
            f"at {self.threshold:.2f}: precision {self.precision:.4f}  recall {self.recall:.4f}  F1 {self.f1:.4f}"
            f"  ({self.right} of {self.found} found right, {self.truth} true)"
        )


def read_records(path: Path) -> list[tuple[str, TrackTags]]:
    """Return (cluster, tags) of every record, with its columns unchanged."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [(row["cluster"], _tags(row)) for row in csv.DictReader(file)]


def _tags(row: dict[str, str]) -> TrackTags:
    number = re.sub(r"\D", "", row["number"])
    year = re.fullmatch(r"(?:19|20)\d\d", row["year"].strip())
    return TrackTags(
        title=row["title"] or None,
        artist=row["artist"] or None,
        album=row["album"] or None,
        track_number=int(number) if number and len(number) < 4 else None,
        date=year[0] if year else None,
    )


def blocked_pairs(records: Sequence[TrackTags]) -> set[tuple[int, int]]:
    """Return pairs of indices that share a rare word or its first letters."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        for block in _blocks(record):
            blocks[block].append(index)
    pairs: set[tuple[int, int]] = set()
    for members in blocks.values():
        if len(members) <= BLOCK_LIMIT:
            pairs.update(combinations(members, 2))
    return pairs


def _blocks(record: TrackTags) -> set[str]:
    tidy = normalise_tags(record)
    words = latin(" ".join(filter(None, (tidy.title, tidy.artist, tidy.album)))).split()
    close = {"=" + latin(text).replace(" ", "")[:8] for text in (tidy.title, tidy.artist, tidy.album) if text}
    pairs = {f"{a} {b}" for a, b in pairwise(words)}
    return {w for w in words if len(w) > 2} | {w[:5] + "*" for w in words if len(w) > 5} | pairs | close


def measure(scores: Iterable[tuple[bool, float]], truth: int, thresholds: Sequence[float]) -> Iterator[Quality]:
    """Return the quality at each threshold, from (same cluster, score) of every compared pair."""
    listed = list(scores)
    for threshold in thresholds:
        reached = [same for same, value in listed if value >= threshold]
        yield Quality(threshold, len(reached), sum(reached), truth)


def mb20k(path: Path, policy: MatchPolicy) -> Iterator[str]:
    """Return the lines of the report on the record set."""
    labelled = read_records(path)
    started = time.perf_counter()
    scored, truth, compared = score_blocks(labelled)
    seconds = time.perf_counter() - started
    yield f"{len(labelled)} records, {len({cluster for cluster, _ in labelled})} clusters, {truth} true pairs"
    covered = sum(same for same, _ in scored)
    yield f"{compared} pairs in blocks, {covered} of the true ones among them, {compared / seconds:,.0f} pairs/s"
    best = max(measure(scored, truth, [n / 100 for n in range(50, 100)]), key=lambda q: q.f1)
    lines = measure(scored, truth, (policy.review, policy.accept))
    for name, quality in zip(("review", "accept", "best"), (*lines, best), strict=True):
        yield f"{name:>7} {quality}"


def score_blocks(labelled: Sequence[tuple[str, TrackTags]]) -> tuple[list[tuple[bool, float]], int, int]:
    """Score every pair in a block.

    Returns (same cluster, score) of each pair, the number of true pairs, and of compared pairs."""
    sizes = Counter(cluster for cluster, _ in labelled)
    truth = sum(size * (size - 1) // 2 for size in sizes.values())
    records = [tags for _, tags in labelled]
    pairs = sorted(blocked_pairs(records))
    scored = [(labelled[a][0] == labelled[b][0], compare_records(records[a], records[b])) for a, b in pairs]
    return scored, truth, len(pairs)


def read_cases(path: Path) -> list[TrackTags]:
    """Return (title, artist) of every mapping case; blank lines are skipped."""
    with path.open(encoding="utf-8", newline="") as file:
        return [TrackTags(title=row[0], artist=row[1]) for row in csv.reader(file) if len(row) == 3]


def untidy(case: TrackTags) -> Iterator[TrackTags]:
    """Return the spellings that libraries have of a title and an artist."""
    title, artist = case.title or "", case.artist or ""
    yield case
    yield TrackTags(title=title.title(), artist=artist.upper())
    yield TrackTags(title=f"{artist} - {title}")
    yield TrackTags(title=f"07 - {title}", artist=artist)
    yield TrackTags(title=f"{title} (2009 Remaster)", artist=artist)
    yield TrackTags(title=f"{title} feat. Somebody Else", artist=artist)
    yield TrackTags(title=title, artist=f"{artist} feat. Somebody Else")
    yield TrackTags(title=title.replace("'", "’"), artist=artist.replace("+", "&").replace("'", "`"))


def listenbrainz(path: Path, policy: MatchPolicy) -> Iterator[str]:
    """Return the lines of the report on the mapping cases, with every wrong case."""
    cases = read_cases(path)
    wrong = []
    asked = 0
    for index, case in enumerate(cases):
        for spelled in untidy(case):
            asked += 1
            found = [n for n, other in enumerate(cases) if compare_records(spelled, other) >= policy.accept]
            if found != [index]:
                wrong.append(f"{spelled.artist} / {spelled.title} -> {[cases[n].title for n in found]}")
    yield f"{len(cases)} cases, {asked} spellings, {asked - len(wrong)} right"
    yield from wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with the labelled data")
    shared = parser.parse_args().shared
    policy = MatchPolicy()
    for name, path, report in (
        ("MusicBrainz 20K", shared / MB20K, mb20k),
        ("ListenBrainz mapping cases", shared / LISTENBRAINZ, listenbrainz),
    ):
        print(name)
        if not path.exists():
            print(f"  not measured: {path} is absent")
            continue
        for line in report(path, policy):
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
