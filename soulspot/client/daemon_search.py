"""Find the daemon of the configured database before anything is opened: one truth on a machine."""

import asyncio
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

from soulspot.client.daemon_client import DaemonClient, DaemonUnreachable
from soulspot.config import Config
from soulspot.errors import ConfigError
from soulspot.store.ownership import is_same_file, read_owner
from soulspot.terminal.console import print_note

LIFE_SECONDS, LIFE_BYTES = 10.0, 65_536  # what a daemon may take, and say, to be recognized


async def running_daemon(config: Config) -> DaemonClient | None:
    """Return a client of the daemon that works on the configured database; None when none runs.

    It is looked for at the address in the lock file, and at http.listen. Raises ConfigError when
    the daemon at http.listen works on another database, or when this user may not open the
    database without a daemon; DaemonRefused or DaemonUnreachable when no answer comes."""
    path, announced, may_open = config.database.path, None, True
    try:
        owner = read_owner(path)
        announced = owner.address if owner else None
    except NotADirectoryError:
        # a file in the place of the folder: whoever opens the database says so better
        pass
    except PermissionError:
        may_open = False
    token = config.http.token.reveal() if config.http.token else None
    if announced and await _sign_of_life(announced):
        return DaemonClient(announced, token)
    # a daemon takes port 0 for any free one: nobody can be looked for there
    listen = f"http://{config.http.listen}" if config.http.port else None
    life = await _sign_of_life(listen) if listen and listen != announced else None
    if listen and life:
        client = DaemonClient(listen, token)
        try:
            if await _works_on(client, path, life):
                return client
        except BaseException:
            await client.close()
            raise
        await client.close()
    elif listen and life == {}:
        _note_stranger(listen)
    if announced:
        # it answers in a way of its own, or its first request says why it does not
        return DaemonClient(announced, token)
    if not may_open:
        who = f"no daemon answers at {listen}" if listen else "http.listen names no port at which a daemon could be"
        raise ConfigError(
            [
                f"database.path: {path} may not be opened by this user, and {who}: start the daemon"
                " (systemctl start soulspot), or run the command as the user whose database it is"
            ]
        )
    return None


async def read_daemon_status(config: Config) -> dict[str, Any] | None:
    """Return the status of the running daemon, with its address as `daemon`; None without one.

    Raises what `running_daemon` does, and DaemonUnreachable when the daemon falls silent."""
    if (client := await running_daemon(config)) is None:
        return None
    async with client:
        return {"daemon": client.address, **await client.status()}


async def refuse_other_daemon(config: Config) -> None:
    """Raise as `running_daemon` does, before a command reads the database file by itself, and
    ConfigError when it may not."""
    path = config.database.path
    if client := await running_daemon(config):
        await client.close()
        if not os.access(path, os.R_OK):
            raise ConfigError(
                [
                    f"database.path: {path} may not be read by this user, and this command reads the file itself:"
                    f" run it as root, or ask the daemon at {client.address}"
                ]
            )


async def _works_on(client: DaemonClient, path: Path, life: Mapping[str, Any]) -> bool:
    # A daemon in trouble names its database in the status alone. So does one in a container, which
    # takes its host for another machine.
    database = life["database"] if "database" in life else (await client.status()).get("database")
    if not isinstance(database, dict):
        return False
    if is_same_file(path, database):
        return True
    theirs = database.get("path")
    if theirs == str(path):
        what = f"works on another file than the one that is at {path} now: restart it if the file was replaced, or"
    else:
        what = f"works on {theirs}, and this configuration (database.path) on {path}: use the same database, or"
    raise ConfigError([f"http.listen: the daemon at {client.address} {what} set another http.listen"])


async def _sign_of_life(address: str) -> dict[str, Any] | None:
    """Return the answer of `GET /healthz`; None where nothing listens, {} where a stranger does.

    The token is not sent: a stranger may listen. Raises DaemonUnreachable when nothing comes within
    `LIFE_SECONDS`."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIFE_SECONDS)) as session,
            session.get(f"{address}/healthz", allow_redirects=False) as response,
        ):
            body = json.loads(await _read_all(response.content))
    except TimeoutError as error:
        raise DaemonUnreachable(
            f"what listens at {address} does not answer within {LIFE_SECONDS:.0f} seconds: restart it if it is the"
            " daemon, else set another http.listen"
        ) from error
    except aiohttp.ClientConnectorError:
        return None
    except (aiohttp.ClientError, OSError, ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and body.get("service") == "soulspot":
        return body
    # a daemon in trouble: its status says more, or why it has none
    if isinstance(body, dict) and response.status == 503 and response.content_type == "application/problem+json":
        return {"service": "soulspot"}
    return {}


async def _read_all(content: aiohttp.StreamReader) -> bytes:
    try:
        return await content.readexactly(LIFE_BYTES)
    except asyncio.IncompleteReadError as error:
        return error.partial


@cache
def _note_stranger(address: str) -> None:
    # once: a command looks for the daemon before each of its steps
    print_note(f"soulspot: what answers at {address} (http.listen) is no SoulSpot daemon of this version")
