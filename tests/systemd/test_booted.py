"""SoulSpot installed as documented on a Debian that was really booted."""

from __future__ import annotations

import pytest

from tests.systemd import boot


@pytest.mark.long
@pytest.mark.process
@pytest.mark.timeout(1800)
def test_installed_as_documented_it_keeps_its_promises_under_a_real_systemd() -> None:
    if why := boot.why_impossible():
        pytest.skip(why)
    try:
        report = boot.prove()
    except boot.Impossible as error:
        pytest.skip(str(error))
    assert report.endswith("proved\n"), report
