"""`soulspot daemon`: the options of the long-running service, which `soulspot.daemon` is."""

import asyncio
import os
from typing import Annotated

import typer

from soulspot.cli.options import ConfigOption
from soulspot.cli.running import BAD_CONFIG, exit_on_error, exit_with, load_or_exit, log_as_configured
from soulspot.config import LIBRARY_EMPTY, SPOTIFY_OFF
from soulspot.daemon.process import Daemon


def daemon(
    config: ConfigOption = None,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Run as root (default: daemon.allow_root).")] = False,
) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    It scans and watches the library, enriches, and answers HTTP at http.listen. SIGHUP reads the
    configuration again.

    Example: soulspot daemon --config /etc/soulspot/config.toml"""
    warn_about = SPOTIFY_OFF, LIBRARY_EMPTY
    loaded = load_or_exit(config, check_library=True, needs_secrets=True, warn_about=warn_about)
    if os.geteuid() == 0 and not (allow_root or loaded.daemon.allow_root):
        exit_with(
            BAD_CONFIG,
            "the daemon refuses to run as root, whose rights it does not need: run it as another user (a unit has User="
            " or DynamicUser=), or set daemon.allow_root (SOULSPOT_DAEMON__ALLOW_ROOT=true in a container)",
        )
    log_as_configured(loaded)
    service = Daemon(loaded, config or loaded.source)
    exit_on_error(lambda: asyncio.run(service.run()), loaded.database.path)
