"""A program that uses SoulSpot as a library hears of it only what it asks `logging` for."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from tests.support.flow import settings, write_config
from tests.support.forks import ROOT

PROGRAM = """
import asyncio, logging, sys
from pathlib import Path
from soulspot import EnrichmentService

{setup}

async def main():
    async with EnrichmentService.open(Path(sys.argv[1])) as service:
        found = await service.enrich_files_batch([Path(one) for one in sys.argv[2:]])
        assert len(found) == len(sys.argv) - 2
        # a warning and a failure, as a bad day has them
        service.telemetry.warning("limited", provider="spotify", why="\\x1b[31mred")
        try:
            raise RuntimeError("odd")
        except RuntimeError:
            from soulspot.telemetry import get_logger
            get_logger("soulspot.pipeline.pump").exception("pump_failed")
        logging.getLogger("soulspot.limits.gate").error("a gate fails")

asyncio.run(main())
"""


async def ran(tmp_path: Path, setup: str) -> tuple[str, str]:
    """Enrich three files in a fresh process; return what it wrote to stdout and stderr."""
    catalogue = invent_catalogue(3, 300)
    files = write_sample_library(catalogue, tmp_path / "music", seed=3, tracks=20)[:3]
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM.format(setup=setup), str(config), *(str(file.path) for file in files),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


async def test_the_service_writes_nothing_where_nobody_has_set_up_a_log(tmp_path: Path) -> None:
    assert await ran(tmp_path, "") == ("", "")


async def test_the_events_arrive_where_a_program_has_set_up_its_own_log(tmp_path: Path) -> None:
    out, err = await ran(tmp_path, "logging.basicConfig(level=logging.INFO)")
    assert out == ""
    assert re.search(r"^INFO:soulspot\.telemetry\.counters:request provider='musicbrainz' ", err, re.MULTILINE)
    assert re.search(r"^WARNING:soulspot\.telemetry\.counters:limited provider='spotify'", err, re.MULTILINE)
    assert "ERROR:soulspot.pipeline.pump:pump_failed" in err
    assert "RuntimeError: odd" in err
    assert "ERROR:soulspot.limits.gate:a gate fails" in err
    assert "\x1b" not in err


def test_only_the_log_itself_uses_structlog_which_would_print() -> None:
    users = [path.name for path in (ROOT / "soulspot").rglob("*.py") if "structlog" in path.read_text("utf-8")]
    assert users == ["log_setup.py"], "use soulspot.telemetry.get_logger"
