"""A database on a network file system is warned about, before SQLite loses anything there."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from soulspot.assembly import open_service
from soulspot.config import make_config
from soulspot.store.file_systems import NETWORK_FILE_SYSTEMS, network_file_system

MOUNTS = (
    r"""
/dev/sda1 / ext4 rw,relatime 0 0
nas:/music /srv/mu\040sic nfs4 rw,vers=4.2 0 0
/dev/sdb1 /srv/mu\040sic/fast xfs rw 0 0
//nas/home /home/caf"""
    + "\udce9 cifs rw 0 0\n"
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/soulspot/soulspot.db", None),
        ("/srv/mu sic/soulspot.db", "nfs4"),
        ("/srv/mu sic/fast/soulspot.db", None),
        ("/srv/mu sickness/soulspot.db", None),
        ("/home/caf\udce9/soulspot.db", "cifs"),
    ],
)
def test_the_innermost_mount_says_what_a_path_lies_on_whatever_its_name(
    tmp_path: Path, path: str, kind: str | None
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.lstrip(), encoding="utf-8", errors="surrogateescape")
    assert network_file_system(Path(path), mounts) == kind


def test_where_nothing_tells_of_mounts_nothing_is_said(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, tmp_path / "absent") is None


@pytest.mark.parametrize("kind", sorted(NETWORK_FILE_SYSTEMS))
async def test_a_database_on_a_network_file_system_is_warned_about_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("soulspot.assembly.service.network_file_system", lambda path: kind)
    config = make_config({"database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org"})
    with capture_logs() as said:
        async with open_service(config, work=False):
            pass
    assert {
        "event": "network_file_system",
        "database": str(tmp_path / "s.db"),
        "kind": kind,
        "log_level": "warning",
    } in said
