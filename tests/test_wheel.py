"""The built wheel is all that a machine needs: nothing of the checkout is missing in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.process
@pytest.mark.timeout(300)
def test_the_wheel_runs_the_demo_outside_the_checkout(tmp_path: Path) -> None:
    built = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "dist"),
        str(ROOT),
    ]
    subprocess.run(built, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("soulspot-*.whl")
    installed = tmp_path / "installed"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            installed,
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(installed)}
    code = "import soulspot, sys; print(soulspot.__file__, file=sys.stderr); from soulspot.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "demo", "--tracks", "20", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.startswith(str(installed)), "the wheel's own code ran"
    report = json.loads(ended.stdout)
    assert report["right"] is True
    assert report["files"] == 20
