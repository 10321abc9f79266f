"""The systemd units, judged by systemd-analyze itself where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from soulspot.config.sources import CREDENTIALS

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = ("soulspot.service", "soulspot-scan.service")


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], cwd=UNITS, capture_output=True, text=True, timeout=60, check=False)


def _lines(unit: str) -> list[str]:
    text = (UNITS / unit).read_text()
    return [line for line in text.splitlines() if "=" in line and not line.startswith("#")]


@pytest.mark.parametrize("unit", [*SERVICES, "soulspot-scan.timer"])
def test_systemd_finds_nothing_to_say_about_a_unit(unit):
    run = _analyze("verify", "--man=no", str(UNITS / unit))
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_exposed_1_5_or_less_of_10(unit):
    run = _analyze("security", "--offline=true", "--no-pager", str(UNITS / unit))
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", run.stdout)
    assert exposure is not None, run.stdout + run.stderr
    assert float(exposure[1]) <= 1.5


def test_both_services_are_confined_alike():
    scan, daemon = (_lines(unit) for unit in reversed(SERVICES))
    assert scan[scan.index("User=soulspot") :] == daemon[daemon.index("User=soulspot") : -1]


@pytest.mark.parametrize("unit", SERVICES)
def test_every_credential_that_soulspot_reads_is_passed_on(unit):
    passed = {line.partition("=")[2] for line in _lines(unit) if line.startswith("LoadCredential=")}
    assert passed == set(CREDENTIALS)


def test_a_wrong_configuration_is_not_restarted_but_an_owned_database_is_waited_for():
    lines = _lines("soulspot.service")
    assert "Restart=on-failure" in lines
    never = next(line for line in lines if line.startswith("RestartPreventExitStatus="))
    assert "78" in never.partition("=")[2].split()
    assert "75" not in never.partition("=")[2].split()
    assert "StartLimitIntervalSec=0" in lines


def test_the_daemon_is_given_longer_to_stop_than_a_drain_takes():
    seconds = next(line for line in _lines("soulspot.service") if line.startswith("TimeoutStopSec="))
    assert int(seconds.partition("=")[2]) > 20
