"""Boot a Debian with a real systemd, and let `proof.py` install and try SoulSpot in it.

`python -m tests.systemd.boot`, as root; needs debootstrap and systemd-nspawn. The bare Debian is
kept in the folder that SOULSPOT_DEBIAN names (default: soulspot-debian in the temporary folder)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv"
# Debian's Python there, and the oldest libraries that its wheels may want
TARGET = ["--python-version=3.11", "--only-binary=:all:", "--platform=manylinux_2_28_x86_64",
          "--platform=manylinux2014_x86_64"]  # fmt: skip
TIMEOUT = 1200.0  # seconds from boot to power-off
UNIT = """\
[Unit]
Description=Proof that SoulSpot works under systemd
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c '/usr/bin/python3 /root/soulspot/proof.py > /root/soulspot/report 2>&1'
ExecStopPost=/usr/bin/systemctl --no-block poweroff

[Install]
WantedBy=default.target
"""


class Impossible(Exception):
    """This machine cannot boot a container."""


def why_impossible() -> str | None:
    """Return why this machine cannot boot a container; None when it can."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    for program in ("debootstrap", "systemd-nspawn"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if os.uname().machine != "x86_64":
        return "the wheels are for x86_64"
    return None


def prove() -> str:
    """Return the report of the proof, whose last line is "proved" when all went well. Raises
    Impossible where there is no Debian to be had, or no container to be booted."""
    debian = _bare_debian(Path(os.environ.get("SOULSPOT_DEBIAN") or Path(tempfile.gettempdir(), "soulspot-debian")))
    with tempfile.TemporaryDirectory(prefix="soulspot-systemd-") as folder:
        root = Path(folder, "root")
        _run("cp", "-a", "--reflink=auto", str(debian), str(root))
        _furnish(root, debian.with_name("wheels"))
        console = _boot(root)
        report = root / "root/soulspot/report"
        if not report.exists():
            raise Impossible(f"systemd did not come up in a container:\n{console[-2000:]}")
        return report.read_text(encoding="utf-8")


def _bare_debian(place: Path) -> Path:
    root = place / SUITE
    if not root.exists():
        half = place / f"{SUITE}.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        try:
            _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(half))
        except subprocess.CalledProcessError as error:
            raise Impossible(f"there is no Debian to be had: {error.output[-500:]}") from error
        half.rename(root)
    return root


def _furnish(root: Path, wheels: Path) -> None:
    """Put the wheel, those of its dependencies, the units, the page and the proof into the root.

    Wheels that `wheels` has from an earlier run are not fetched again."""
    home = root / "root/soulspot"
    home.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(home), str(ROOT))
    (wheel,) = home.glob("soulspot-*.whl")
    # pip would take an earlier one of the same version for this one, with what that depended on
    for earlier in wheels.glob("soulspot-*.whl"):
        earlier.unlink()
    try:
        _run(*pip, "download", *TARGET, "-d", str(wheels), "-c", str(ROOT / "constraints.txt"), str(wheel))
    except subprocess.CalledProcessError as error:
        raise Impossible(f"the wheels are not to be had: {error.output[-500:]}") from error
    shutil.copytree(wheels, home / "wheels")
    shutil.copytree(ROOT / "systemd", home / "systemd")
    for file in (
        ROOT / "constraints.txt",
        ROOT / "docs/howto/run-under-systemd.md",
        Path(__file__).with_name("proof.py"),
    ):
        shutil.copy(file, home)
    units = root / "etc/systemd/system"
    (units / "proof.service").write_text(UNIT, encoding="utf-8")
    wanted = units / "default.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "proof.service").symlink_to("../proof.service")


def _boot(root: Path) -> str:
    """Boot the root until it powers itself off; return what it said on its console."""
    command = [
        "systemd-nspawn", "--boot", "--quiet", "--register=no", "--private-network", "--console=pipe",
        f"--directory={root}", f"--machine=soulspot-{os.getpid()}",
    ]  # fmt: skip
    # a host without systemd of its own has nobody to ask for a unit
    if not Path("/run/systemd/system").exists():
        command.append("--keep-unit")
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as container:
        try:
            return container.communicate(timeout=TIMEOUT)[0]
        except subprocess.TimeoutExpired:
            # systemd-nspawn ends its container when it ends
            container.terminate()
            return container.communicate()[0]


def _run(*command: str) -> None:
    subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)


def main() -> int:
    if why := why_impossible():
        print(f"cannot be tried here: {why}", file=sys.stderr)
        return 1
    report = prove()
    print(report, end="")
    return 0 if report.endswith("proved\n") else 1


if __name__ == "__main__":
    sys.exit(main())
