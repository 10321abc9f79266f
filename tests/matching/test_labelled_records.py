"""The matcher on labelled records of others: a slice of `python -m benchmarks.matching`."""

from __future__ import annotations

from benchmarks.matching import LISTENBRAINZ, MB20K, measure, read_cases, read_records, score_blocks, untidy
from soulspot.matching import MatchPolicy, compare_records
from tests.support.shared_data import shared


def test_every_listenbrainz_case_finds_itself_and_nothing_else_in_any_spelling() -> None:
    cases = read_cases(shared(*LISTENBRAINZ.split("/")))
    assert len(cases) == 30
    for case in cases:
        for spelled in untidy(case):
            sure = [c for c in cases if compare_records(spelled, c) >= MatchPolicy().accept]
            assert sure == [case], spelled


def test_records_of_one_track_are_told_from_others_as_the_documentation_says() -> None:
    records = read_records(shared(*MB20K.split("/")))
    labelled = [(cluster, tags) for cluster, tags in records if int(cluster) % 10 == 0]
    scored, truth, _ = score_blocks(labelled)
    review, accept = measure(scored, truth, (MatchPolicy().review, MatchPolicy().accept))
    assert review.f1 >= 0.96, review
    assert accept.precision >= 0.995, accept
    assert accept.recall >= 0.9, accept
