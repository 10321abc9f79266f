"""`soulspot daemon`: the options of the long-running service, which `soulspot.daemon` is."""

import asyncio
import os
from typing import Annotated

import typer

from soulspot.cli.console import complain
from soulspot.cli.options import ConfigOption
from soulspot.cli.running import exit_on_error, load_or_exit, log_as_configured, refuse
from soulspot.config import LIBRARY_EMPTY, SPOTIFY_OFF
from soulspot.daemon.process import Daemon


def daemon(
    config: ConfigOption = None,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Run as root even as a systemd service.")] = False,
) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    It scans and watches the library, enriches, and answers HTTP at http.listen. SIGHUP reads the
    configuration again.

    Example: soulspot daemon --config /etc/soulspot/config.toml"""
    loaded = load_or_exit(config, check_library=True, warn_about=(SPOTIFY_OFF, LIBRARY_EMPTY))
    if os.geteuid() == 0 and not allow_root:
        # systemd sets these two; a unit that runs as root has neither User= nor DynamicUser=
        if {"INVOCATION_ID", "NOTIFY_SOCKET"} <= os.environ.keys():
            refuse("the service needs no root rights: give the unit a User=, or say --allow-root")
        complain("runs as root, which it does not need")
    log_as_configured(loaded)
    service = Daemon(loaded, config or loaded.source)
    exit_on_error(lambda: asyncio.run(service.run()), loaded.database.path)
