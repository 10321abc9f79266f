"""A daemon killed at random moments, from its start on, loses nothing and does nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kills import Killing


@pytest.mark.long
@pytest.mark.process
@pytest.mark.timeout(600)
async def test_no_accepted_row_and_no_lookup_is_lost_or_doubled_by_kills_at_random_moments(tmp_path: Path) -> None:
    outcome = await Killing(tmp_path, tracks=2500, kills=12, seed=20).run()
    assert outcome.is_whole, outcome
    assert outcome.kills_at_work >= 8, "most kills came while there was work"
    assert outcome.lookups >= outcome.rows, "every track asked"
