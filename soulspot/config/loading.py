"""Build one frozen `Config` from file and environment, naming every problem at once."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from soulspot.config import sources
from soulspot.config.checks import (
    SPOTIFY_SECRET,
    find_faults,
    find_library_faults,
    find_warnings,
    turn_off_without_credentials,
)
from soulspot.config.model import Config, walk_keys
from soulspot.config.sources import Key, Layer
from soulspot.errors import ConfigError
from soulspot.text import without_secrets

SYSTEM_CONFIG = Path("/etc/soulspot/config.toml")
# What StateDirectory=soulspot of the units makes, also for a service with a user of its own.
SYSTEM_DATABASE = Path("/var/lib/soulspot/soulspot.db")
_DATABASE = ("database", "path")
# The keys that a running daemon applies on SIGHUP; all others need a restart.
_RELOADABLE_SECTIONS = ("matching.", "merge.", "retry.", "refresh.", "alarms.", "log.", "write_tags.")
_RELOADABLE_KEYS = ("limits.memory_mb",)
_RELOADABLE_OF_PROVIDERS = ("rate", "batch_size", "max_wait_time", "timeout", "daily_budget")

# Words for pydantic's commonest error types.
_MESSAGES = {
    "bool_type": "should be true or false", "string_type": "should be a text", "float_type": "should be a number",
    "int_type": "should be a whole number", "tuple_type": "should be a list", "path_type": "should be a path",
    "model_type": "should be a table",
}  # fmt: skip


def load_config(
    path: Path | None = None, *, environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None, check_library: bool = False, needs_secrets: bool = True,
) -> Config:  # fmt: skip
    """Return the configuration from all its sources.

    Later sources win: defaults, the file (`path`, or the file that `find_config` finds), systemd
    credentials, environment (os.environ unless given), overrides (nested or dotted:
    {"providers.spotify.rate": 2}). With `check_library` the library's folders must exist. Without
    `needs_secrets`, secrets that are absent or in files that this user may not read are no problem
    but `withheld` of the configuration. Raises ConfigError with every problem, each with its key
    and its place."""
    environ = os.environ if environ is None else environ
    path = path or find_config(environ)
    layers = [] if path is None else [sources.read_file(path)]
    layers += [sources.read_credentials(environ), sources.read_environment(environ)]
    layers.append(sources.read_overrides(overrides or {}))
    is_set = any(layer.has(_DATABASE) for layer in layers)
    layers.insert(0, _default_database(path, environ))
    folders = [folder for folder in environ.get("STATE_DIRECTORY", "").split(":") if folder]
    # A daemon that a unit gave another folder until now must not begin anew in an empty database.
    if not is_set and (problem := _outside(layers[0].values["database"]["path"], folders)):
        layers[0].problems.append(f"database.path: is not set, which means {problem}; set database.path")
    config = _build(layers, check_library, needs_secrets)
    if is_set and (problem := _outside(config.database.path, folders)):
        config._warnings += (f"database.path is {problem}",)
    config._source = path
    return config


def make_config(overrides: Mapping[str, Any] | None = None, *, check_library: bool = False) -> Config:
    """Return the defaults with these overrides, without looking at files or environment.
    `overrides` are nested or dotted. Raises ConfigError with every problem."""
    return _build([sources.read_overrides(overrides or {})], check_library, needs_secrets=True)


def require_means(config: Config, *, library: bool = False) -> None:
    """Raise ConfigError with what work in this process lacks: secrets, and with `library` folders
    of the library."""
    problems = list(config.withheld)
    for fault in find_library_faults(config) if library else ():
        problems.append(_problem(fault.keys[0], str(config.source or ""), fault.message))
    if problems:
        raise ConfigError(problems)


def find_config(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the file to read: $SOULSPOT_CONFIG, whether it exists or not, or the first existing
    one of `default_config_paths`; None without one."""
    environ = os.environ if environ is None else environ
    if named := environ.get("SOULSPOT_CONFIG"):
        return Path(named)
    return next((path for path in default_config_paths(environ) if _is_there(path)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        # whoever may not look must not go on with another configuration, unaware
        return True


def default_config_paths(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    home = Path((os.environ if environ is None else environ).get("HOME") or "~").expanduser()
    return Path("config.toml"), home / ".config/soulspot/config.toml", SYSTEM_CONFIG


def reloadable_differences(old: Config, new: Config) -> tuple[list[str], list[str]]:
    """Return the changed keys: those a running daemon can apply, and those needing a restart."""
    applied: list[str] = []
    needs_restart: list[str] = []
    for key, _ in walk_keys():
        old_value, new_value = (reduce(getattr, key.split("."), config) for config in (old, new))
        if old_value != new_value:
            (applied if _is_reloadable(key) else needs_restart).append(key)
    return applied, needs_restart


def _is_reloadable(key: str) -> bool:
    if key.startswith("providers."):
        return key.rpartition(".")[2] in _RELOADABLE_OF_PROVIDERS
    return key in _RELOADABLE_KEYS or key.startswith(_RELOADABLE_SECTIONS)


def _default_database(source: Path | None, environ: Mapping[str, str]) -> Layer:
    """Return the layer with the default of database.path. It follows the configuration file, not
    the process: whoever reads the same file works on the same database."""
    names = [] if source is None else [Path(os.path.abspath(source)), Path(os.path.realpath(source))]
    data = environ.get("XDG_DATA_HOME", "")
    if any(name.is_relative_to("/etc") for name in names):
        path = SYSTEM_DATABASE
    else:
        # "All paths set in these environment variables must be absolute" (XDG Base Directory)
        path = Path(data if os.path.isabs(data) else "~/.local/share").expanduser() / "soulspot/soulspot.db"
    return Layer({"database": {"path": path}}, lambda _: "")


def _outside(database: Path, folders: Sequence[str]) -> str | None:
    """Return "this database, but the state directory is that folder"; None when it is in it."""
    real = Path(os.path.realpath(database))
    if not folders or any(real.is_relative_to(os.path.realpath(folder)) for folder in folders):
        return None
    return f"{database}, but the service's state directory ($STATE_DIRECTORY) is {':'.join(folders)}"


def _build(layers: Sequence[Layer], check_library: bool, needs_secrets: bool) -> Config:
    problems = [problem for layer in layers for problem in layer.problems]
    if not all(layer.is_readable for layer in layers):
        raise ConfigError(problems)
    values: dict[str, Any] = {}
    withheld: dict[Key, str] = {}
    for layer in layers:
        _merge(values, layer.values)
        withheld = {key: why for key, why in withheld.items() if not layer.has(key)} | layer.withheld
    problems += withheld.values() if needs_secrets else ()
    for secret in withheld:
        # what an earlier source says does not count
        _remove(values, secret)
    wrong = {".".join(key) for key in withheld}
    # Wrong values are taken out and the rest checked: one mistake must not hide another.
    while True:
        try:
            config = Config(**values)
            break
        except ValidationError as error:
            for key, message in _complaints(error):
                name = _name(key)
                wrong.add(name.partition("[")[0])
                problems.append(_problem(name, _where(layers, key), message))
                _remove(values, key)
    for fault in find_faults(config, library=check_library):
        if wrong.isdisjoint(fault.keys):
            named = tuple(fault.keys[0].split("."))
            problem = _problem(fault.keys[0], _where(layers, named), fault.message)
            # a credential of a unit is absent for everybody else
            if fault.is_absent_secret and not needs_secrets:
                withheld[named] = problem
            else:
                problems.append(problem)
    if problems:
        raise ConfigError(problems)
    warnings = tuple(find_warnings(config, withheld))
    if SPOTIFY_SECRET not in withheld:
        config = turn_off_without_credentials(config)
    config._warnings, config._withheld = warnings, tuple(withheld.values())
    return config


def _complaints(error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    names = {name for name, _ in walk_keys()}
    secret = {".".join(key) for key in sources.SECRETS}
    for fault in error.errors(include_url=False):
        key, kind = fault["loc"], fault["type"]
        plain = tuple(part for part in key if isinstance(part, str))
        name = ".".join(plain)
        if kind == "extra_forbidden":
            yield key, sources.describe_unknown_key(plain)
            continue
        if kind == "value_error":
            message = str(fault["ctx"]["error"])
        else:
            message = _MESSAGES.get(kind) or fault["msg"].replace("Input should", "should").replace("String", "text")
        # A table may hold a secret, and so may a misspelt key: only public plain values are shown.
        # So may any part of an address but its host, and an address without a scheme has no host.
        if name in names and name not in secret and not name.endswith("url") and not isinstance(fault["input"], dict):
            message += f", not {without_secrets(repr(fault['input'])):.80}"
        yield key, message


def _name(key: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


def _problem(name: str, where: str, message: str) -> str:
    return f"{name} ({where}): {message}" if where else f"{name}: {message}"


def _where(layers: Sequence[Layer], key: Sequence[str | int]) -> str:
    """Return the place of the value that counts, in the last layer with the key; "" for none."""
    plain: Key = tuple(str(part) for part in takewhile(lambda part: isinstance(part, str), key))
    return next((layer.where(plain) for layer in reversed(layers) if layer.has(plain)), "")


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            if not isinstance(into.get(name), dict):
                into[name] = {}
            _merge(into[name], value)
        else:
            into[name] = value


def _remove(values: dict[str, Any], key: Sequence[str | int]) -> None:
    """Remove the smallest table entry that contains the key."""
    for name in key[:-1]:
        inner = values.get(str(name))
        if not isinstance(inner, dict):
            values.pop(str(name), None)
            return
        values = inner
    values.pop(str(key[-1]), None)
