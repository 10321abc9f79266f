"""Inside the booted Debian: install as the documents say, and show what they promise.

Started by its unit as root. Uses nothing but Python's own library; prints a line a promise."""

from __future__ import annotations

import json
import os
import pwd
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path("/root/soulspot")
CONFIG, UNIT = Path("/etc/soulspot/config.toml"), "soulspot.service"
DATABASE, REAL_DATABASE = "/var/lib/soulspot/soulspot.db", "/var/lib/private/soulspot/soulspot.db"
ADDRESS = "http://127.0.0.1:8753"
USER = "listener"
PATIENCE = 180.0  # seconds for anything that has to come about
# The documented minute, shortened for the proof; the rest of the unit stays as it is.
HURRY = "[Service]\nWatchdogSec=6\nTimeoutAbortSec=5\nRestartSec=1\n"


def run(*command: str, code: int | None = 0, **options: Any) -> str:
    """Return the output of a command, which must end with this exit code (None: any)."""
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300, **options
    )
    assert code is None or ended.returncode == code, f"{' '.join(command)}: {ended.returncode}\n{ended.stdout}"
    return ended.stdout


def as_user(*arguments: str, code: int = 0) -> str:
    """Return what `soulspot` says to an ordinary user in a shell."""
    return run("runuser", "-u", USER, "--", "soulspot", *arguments, code=code, cwd="/home/" + USER)


def answer(*arguments: str) -> Any:
    command = ["runuser", "-u", USER, "--", "soulspot", *arguments, "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd="/home/" + USER)
    assert ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return json.loads(ended.stdout)


def until(what: str, is_so: Callable[[], Any]) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {PATIENCE:.0f} seconds: {what}\n{run('systemctl', 'status', UNIT, code=None)}")


def shown(*names: str) -> list[str]:
    """Return properties of the unit, in the order of their names."""
    lines = run("systemctl", "show", UNIT, *(f"--property={name}" for name in names)).splitlines()
    values = dict(line.split("=", 1) for line in lines)
    return [values[name] for name in names]


def is_ready() -> bool:
    state, text = shown("ActiveState", "StatusText")
    return state == "active" and text.startswith("listening on")


def said(event: str) -> int:
    """Return how often the journal of the unit has this event or text."""
    return run("journalctl", "-u", UNIT, "-o", "cat", "--no-pager").count(event)


def promise(words: str) -> None:
    print(f"ok: {words}", flush=True)


def install() -> None:
    """Run the commands of the page as they stand there, with wheels in the place of the network."""
    page = (HERE / "run-under-systemd.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[0]
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(HERE / "wheels")}
    answers = "me@example.org\n/srv/music\n\n\n"
    # contact, folder with music, and no Spotify; a mask as careful as some have it
    run("bash", "-euc", "umask 077\n" + commands, cwd=HERE, env=offline, input=answers)
    until("the service is ready", is_ready)
    assert shown("Type", "User", "DynamicUser") == ["notify", "soulspot", "yes"]
    promise("installed by the commands of docs/howto/run-under-systemd.md; Type=notify, READY with a status line")


def start_sandbox() -> dict[str, str]:
    ports = Path("/run/sandbox.json")
    python = "/opt/soulspot/bin/python"
    run(
        "systemd-run", "--unit=sandbox", python, "-m", "soulspot.sandbox", "--seed", "3", "--tracks", "400",
        "--no-limits", "--library", "/srv/music/new", "--files", "40", f"--ports-file={ports}",
    )  # fmt: skip
    until("the sandbox is up", ports.exists)
    run("chmod", "-R", "a+rX", "/srv/music")
    return dict(json.loads(ports.read_text()))


def configure(urls: dict[str, str], **more: str) -> None:
    """Point the installed configuration at the local servers."""
    values = {
        "providers.musicbrainz": {"base_url": urls["musicbrainz_url"], "rate": more.get("rate", 100)},
        "providers.listenbrainz": {"base_url": urls["listenbrainz_url"], "labs_url": urls["labs_url"]},
    }
    text = CONFIG.read_text()
    for table, pairs in values.items():
        for name, value in pairs.items():
            pattern = rf"(?ms)^(\[{re.escape(table)}\]\n.*?)^#?{name} = \S+"
            text, count = re.subn(pattern, lambda m, n=name, v=value: f"{m[1]}{n} = {json.dumps(v)}", text, count=1)
            assert count == 1, (table, name)
    CONFIG.write_text(text)


def enrich(urls: dict[str, str]) -> None:
    configure(urls)
    run("systemctl", "restart", UNIT)
    until("the service is ready", is_ready)

    def finished() -> bool:
        tracks = answer("status")["tracks"]
        return tracks["total"] >= 40 and tracks.get("pending", 0) == 0

    until("the library is enriched", finished)
    promise("the daemon enriches its library")


def work_as_a_shell_user() -> None:
    assert "Permission denied" in run("runuser", "-u", USER, "--", "ls", "/var/lib/private/", code=None)
    status = answer("status")
    assert (status["daemon"], status["database"]["path"]) == (ADDRESS, DATABASE), status
    found = sqlite3.connect(f"file:{REAL_DATABASE}?mode=ro", uri=True)
    (total,) = found.execute("SELECT count(*) FROM tracks WHERE vanished_at IS NULL").fetchone()
    found.close()
    assert status["tracks"]["total"] == total
    waiting = answer("review", "list")["review"]
    if waiting:
        track = str(waiting[0]["track_id"])
        as_user("review", "show", track)
        as_user("review", "reject", track)
        assert track not in [str(one["track_id"]) for one in answer("review", "list")["review"]]
    assert answer("scan")["found"] >= 40
    answer("retry")
    answer("enrich", "--wait", "5")
    answer("status", "--unreadable")
    checks = {one["subject"]: one for one in answer("check")}
    assert DATABASE in checks["database"]["words"], checks
    assert ADDRESS in checks["daemon"]["words"], checks
    songs = Path("/home", USER, "songs.csv")
    songs.write_text("title,artist\nPopcorn,Nobody\n")
    songs.chmod(0o644)
    assert answer("import", str(songs))["queued"] == 1
    promise("status, review, scan, retry, enrich, check and import work for a shell user on the daemon's database")
    own = Path("/home", USER, "mine.toml")
    own.write_text('[providers.musicbrainz]\ncontact = "me@example.org"\n')
    own.chmod(0o644)
    refused = as_user("status", "--config", str(own), code=78)
    assert DATABASE in refused, refused
    assert f"/home/{USER}/.local/share/soulspot/soulspot.db" in refused, refused
    promise("a configuration of another database is refused beside the daemon, and both are named")


def reload(urls: dict[str, str]) -> None:
    process, before = shown("MainPID")[0], said("reloaded")
    configure(urls, rate="50")
    good = CONFIG.read_text().replace('rate = "50"', "rate = 50")
    CONFIG.write_text(good)
    run("systemctl", "reload", UNIT)
    until("the reload is applied", lambda: said("reloaded") > before)
    CONFIG.write_text(good + "\n[nonsense]\n")
    run("systemctl", "reload", UNIT)
    until("systemd hears of the failed reload", lambda: shown("StatusText")[0].startswith("reload failed: nonsense"))
    CONFIG.write_text(good)
    assert shown("ActiveState", "MainPID") == ["active", process]
    assert answer("status")["daemon"] == ADDRESS
    promise("a reload is applied; a bad one keeps the old configuration and says so")


def is_restarted(process: str, restarts: str) -> bool:
    pid, count = shown("MainPID", "NRestarts")
    return pid not in ("0", process) and int(count) > int(restarts)


def be_killed_when_stopped() -> None:
    folder = Path("/etc/systemd/system/soulspot.service.d")
    folder.mkdir()
    (folder / "hurry.conf").write_text(HURRY)
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)
    until("the service is ready", is_ready)
    process, restarts = shown("MainPID", "NRestarts")
    os.kill(int(process), 19)  # SIGSTOP
    until("the stopped process is killed, and another started", lambda: is_restarted(process, restarts))
    until("the service is ready", is_ready)
    assert said("Watchdog timeout") or said("watchdog")
    assert answer("status")["daemon"] == ADDRESS
    promise("a stopped process is killed by the watchdog and started again")


def be_killed_when_blocked() -> None:
    process, restarts = shown("MainPID", "NRestarts")
    blocker = sqlite3.connect(REAL_DATABASE, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    # anything that writes: its command fails or waits, and nobody waits for it
    command = ["runuser", "-u", USER, "--", "soulspot", "scan"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as writing:
        until("the blocked process is killed, and another started", lambda: is_restarted(process, restarts))
        seconds = time.monotonic() - began
        blocker.execute("ROLLBACK")
        blocker.close()
        until("the service is ready", is_ready)
        writing.terminate()
    assert answer("scan")["found"] >= 40
    promise(f"a process whose writes are blocked is killed by the watchdog and started again ({seconds:.0f} s)")


def scan_by_the_unit() -> None:
    for state in ("start", "stop"):
        run("systemctl", state, UNIT)
        run("systemctl", "start", "soulspot-scan.service")
        result = run("systemctl", "show", "--property=Result", "--value", "soulspot-scan.service").strip()
        assert result == "success", result
    promise("the scan unit works beside the daemon, and without it")


def stop_in_time() -> None:
    run("systemctl", "start", UNIT)
    until("the service is ready", is_ready)
    began = time.monotonic()
    run("systemctl", "stop", UNIT)
    seconds = time.monotonic() - began
    assert shown("ActiveState", "Result") == ["inactive", "success"]
    assert seconds < 30, seconds
    # a crash would have left the log
    assert not Path(REAL_DATABASE + "-wal").exists()
    refused = as_user("status", code=78)
    assert f"{DATABASE} may not be opened by this user" in refused, refused
    promise(f"it stops in time ({seconds:.1f} s) and in order; a shell user is told to start it")


def main() -> None:
    run("useradd", "--create-home", USER)
    assert pwd.getpwnam(USER).pw_uid
    Path("/srv/music").mkdir(mode=0o755)
    install()
    urls = start_sandbox()
    enrich(urls)
    work_as_a_shell_user()
    reload(urls)
    be_killed_when_stopped()
    be_killed_when_blocked()
    scan_by_the_unit()
    stop_in_time()
    print("proved", flush=True)


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        print(run("journalctl", "-u", UNIT, "-o", "cat", "--no-pager", "-n", "60", code=None), flush=True)
        raise
