"""A daemon under a changing load, with services that fail at random, forgets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import soak
from benchmarks.soaking.samples import growth


@pytest.mark.long
@pytest.mark.process
@pytest.mark.timeout(900)
async def test_after_a_minute_of_load_and_faults_the_books_are_balanced_and_no_handle_is_left_open(
    tmp_path: Path,
) -> None:
    soaked = await soak(tmp_path, minutes=1.0, seed=3)
    assert soaked.faults == []
    assert {"files appeared", "files vanished", "import", "export", "reloads", "storms"} <= soaked.done.keys()


def test_growth_is_the_slope_of_the_values_with_its_error() -> None:
    assert growth([0, 3600, 7200], [100, 110, 120]).per_hour == pytest.approx(10)
    assert growth([0, 3600, 7200], [100, 110, 120]).error == pytest.approx(0)
    noisy = growth([0, 1800, 3600, 5400, 7200], [100, 90, 104, 92, 101])
    assert not noisy.exceeds(1.0)
