"""The layers of a configuration: file, systemd credentials, environment, overrides."""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from pydantic_settings import BaseSettings, EnvSettingsSource

from soulspot.config.model import Config, section_of, walk_keys
from soulspot.config.values import EnvironmentText

Key = tuple[str, ...]
PREFIX = "SOULSPOT_"
# The names of systemd credentials, and the keys they set.
CREDENTIALS: Mapping[str, Key] = {
    "spotify_client_id": ("providers", "spotify", "client_id"),
    "spotify_client_secret": ("providers", "spotify", "client_secret"),
    "listenbrainz_token": ("providers", "listenbrainz", "token"),
    "http_token": ("http", "token"),
    "webhooks_secret": ("webhooks", "secret"),
}
# The keys whose values are never shown; each may come from a file by its `_file` twin.
SECRETS = tuple(key for name, key in CREDENTIALS.items() if name != "spotify_client_id")

_ABSENT = object()


@dataclass
class Layer:
    """Nested values from one source, with its problems in words for a person."""

    values: dict[str, Any]
    where: Callable[[Key], str]  # the place of a key: "config.toml:12", "SOULSPOT_LOG__LEVEL"
    problems: list[str] = field(default_factory=list)
    withheld: dict[Key, str] = field(default_factory=dict)  # secrets that this user may not read
    is_readable: bool = True

    def has(self, key: Key) -> bool:
        return self.value(key) is not _ABSENT

    def value(self, key: Key) -> Any:
        value: Any = self.values
        for name in key:
            if not isinstance(value, dict) or name not in value:
                return _ABSENT
            value = value[name]
        return value


def read_file(path: Path) -> Layer:
    """Return the layer of a TOML file; an unreadable file is a problem and an empty layer."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
        values = tomllib.loads(text)
    except OSError as error:
        return Layer({}, str, [f"{path}: cannot be read: {error.strerror}"], is_readable=False)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Layer({}, str, [f"{path}:{line}: is not UTF-8 text, which TOML is"], is_readable=False)
    except (ValueError, RecursionError) as error:
        problem = f"{path}: is not valid TOML: {error or type(error).__name__}"
        return Layer({}, str, [problem], is_readable=False)
    lines = _lines(text)

    def where(key: Key) -> str:
        line = next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), None)
        return f"{path}:{line}" if line else str(path)

    # Whatever folder a command runs in, the same file means the same places.
    folder = Path(os.path.realpath(path)).parent
    layer = Layer(_placed(_without_empty(values), folder), where)
    for name, field_ in walk_keys():
        # Elsewhere an empty text is no answer; here it is one, "none", unlike the default.
        if isinstance(field_.default, str) and type(None) in get_args(field_.annotation):
            key = tuple(name.split("."))
            if Layer(values, str).value(key) == "":
                _put(layer.values, key, None)
    return _with_secret_files(layer)


def _placed(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the values of a file, with relative paths made to start at `folder`."""
    for name, field_ in walk_keys():
        *tables, last = name.split(".")
        table: Any = values
        for inner in tables:
            table = table.get(inner) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last not in table or "Path" not in repr(field_.annotation):
            continue
        table[last] = _each_text(table[last], lambda text: text if text.startswith("~") else str(folder / text))
    return values


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_each_text(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Return the layer of SOULSPOT_SECTION__KEY variables; unknown sections are problems."""
    variables: dict[str, str | None] = {
        name.lower(): EnvironmentText(value)
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and value
    }
    source = EnvSettingsSource(cast(type[BaseSettings], Config))
    source.env_vars = variables  # instead of the process's own
    layer = Layer(source(), lambda key: PREFIX + "__".join(key).upper())
    for name in sorted(variables):
        first, separator, _ = name[len(PREFIX) :].partition("__")
        if separator and first not in Config.model_fields:
            key = tuple(name[len(PREFIX) :].split("__"))
            layer.problems.append(f"{'.'.join(key)} ({name.upper()}): {describe_unknown_key(key)}")
    return _with_secret_files(layer)


def read_credentials(environ: Mapping[str, str]) -> Layer:
    """Return the layer of the files in $CREDENTIALS_DIRECTORY that CREDENTIALS names."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    named = {key: Path(folder or "", name) for name, key in CREDENTIALS.items()}
    layer = Layer({}, lambda key: str(named.get(key, folder)))
    for key, path in named.items() if folder else ():
        try:
            if path.exists():
                _put(layer.values, key, _read_secret(path))
        except ValueError as error:
            layer.problems.append(f"{'.'.join(key)}: {error}")
    return layer


def read_overrides(overrides: Mapping[str, Any]) -> Layer:
    """Return the layer of values from code or the command line: nested, or with dotted keys.
    {"log": {"level": "debug"}, "providers.spotify.rate": 2}; None leaves a key as it was."""
    layer = Layer({}, lambda _: "")  # problems name no place: the caller knows it

    def add(prefix: Key, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            key = (*prefix, *name.split("."))
            if isinstance(value, Mapping):
                add(key, value)
            elif value is not None:
                _put(layer.values, key, value)

    add((), overrides)
    return _with_secret_files(layer)


def _with_secret_files(layer: Layer) -> Layer:
    """Read each `*_file` of the layer into its secret, and return the layer. Later layers still
    override that secret. A file that cannot be read is a problem."""
    for key in SECRETS:
        file_key = (*key[:-1], f"{key[-1]}_file")
        if not layer.has(file_key):
            continue
        label = f"{'.'.join(file_key)} ({layer.where(file_key)})"
        if layer.has(key):
            layer.problems.append(f"{label}: give either {key[-1]} or {key[-1]}_file, not both")
            continue
        path: Any = layer.values
        for name in file_key:
            path = path[name]
        if isinstance(path, str | Path):
            try:
                _put(layer.values, key, _read_secret(Path(path).expanduser()))
            except _Withheld as error:
                layer.withheld[key] = f"{label}: {error}"
            except ValueError as error:
                layer.problems.append(f"{label}: {error}")
    return layer


def _put(values: dict[str, Any], key: Key, value: Any) -> None:
    for name in key[:-1]:
        values = values.setdefault(name, {})
    values[key[-1]] = value


def describe_unknown_key(key: Sequence[str]) -> str:
    """Return "unknown key", with the nearest existing key if there is one."""
    wrong, parent = ".".join(key), ".".join(key[:-1])
    keys = dict(walk_keys())
    names = list(keys)
    if parent in keys and (inner := section_of(keys[parent].annotation)):
        siblings = [f"{parent}.{name}" for name in inner.model_fields]
    else:
        siblings = [name for name in names if name.rpartition(".")[0] == parent]
    sections = list({name.rpartition(".")[0]: None for name in names})
    same_end = [name for name in names if name.rpartition(".")[2] == key[-1]]
    near = (
        get_close_matches(wrong, siblings, 1)
        or get_close_matches(wrong, same_end, 1, 0.0)
        or get_close_matches(wrong, [*Config.model_fields, *names, *sections], 1)
    )
    return "unknown key" + (f"; did you mean {near[0]}?" if near else "")


class _Withheld(ValueError):
    """The file of a secret is not for this user."""


def _read_secret(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        kind = _Withheld if isinstance(error, PermissionError) else ValueError
        raise kind(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: it is not text") from error
    if not text:
        raise ValueError(f"{path} is empty")
    return text


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(inner) for name, inner in value.items() if inner != ""}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value if inner != ""]
    return value


def _lines(text: str) -> dict[Key, int]:
    """Return the line number, from 1, of each key and table of a valid TOML text."""
    # tomllib reports no lines. Every statement is therefore parsed alone below its table's header;
    # one that does not parse yet continues on the next line.
    lines: dict[Key, int] = {}
    header, statement, start = "", "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not statement:
            start = number
        statement += line + "\n"
        try:
            values = tomllib.loads(header + statement)
        except ValueError:
            continue
        if re.match(r"\s*\[", statement):
            header = statement
        if re.match(r"\s*[^#\s]", statement):
            for key in _keys(values):
                lines.setdefault(key, start)
        statement = ""
    return lines


def _keys(values: Any, prefix: Key = ()) -> Iterator[Key]:
    """Yield the keys of nested tables, outer ones first; a list adds nothing to a key."""
    if isinstance(values, dict):
        for name, inner in values.items():
            yield (*prefix, name)
            yield from _keys(inner, (*prefix, name))
    elif isinstance(values, list):
        for inner in values:
            yield from _keys(inner, prefix)
