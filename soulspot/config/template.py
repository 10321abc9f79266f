"""The commented config.toml of `soulspot init`, made from the keys of `Config` and their help.
`python -m soulspot.config.template` prints it without answers."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from soulspot.config.loading import default_config_paths
from soulspot.config.model import Config, walk_keys
from soulspot.config.sources import describe_unknown_key
from soulspot.config.values import Secret, format_duration, format_size, parse_duration, parse_size
from soulspot.errors import ConfigError

# The keys that `soulspot init` asks for; the template shows them ready to fill in.
KEYS_TO_FILL_IN = (
    "library.paths", "providers.musicbrainz.contact", "providers.spotify.client_id",
    "providers.spotify.client_secret", "providers.listenbrainz.token",
)  # fmt: skip

_HEAD = """\
# SoulSpot's configuration. A line with "#" before a key shows its default; remove the "#" to change it.
# Durations are seconds, or a text with a unit: "90s", "5m", "12h", "30d", "2w". Sizes are bytes, or
# "20MB", "2GB". An empty text means "not set". The environment can set every key: client_id of
# [providers.spotify] is SOULSPOT_PROVIDERS__SPOTIFY__CLIENT_ID. See docs/reference/configuration.md.
"""
# The column that the comments behind values begin at, beyond most values.
_VALUE_COLUMN = 45


def render_template(**answers: Any) -> str:
    """Return a config.toml with every key, its default and its help, and the answers as values.
    Answers are named by their keys, with "." or "__": render_template(library__paths=["~/Music"]);
    None is no answer. Raises ConfigError for an unknown key and for text that TOML cannot hold."""
    given = {name.replace("__", "."): value for name, value in answers.items() if value is not None}
    keys = dict(walk_keys())
    if unknown := [name for name in given if name not in keys]:
        raise ConfigError([f"{name}: {describe_unknown_key(name.split('.'))}" for name in unknown])
    return _HEAD + "".join(f"{line}\n" for line in _template_lines(keys, given))


def ensure_template_can_be_written(path: Path, force: bool = False) -> None:
    """Raise ConfigError if `write_template` would fail: a folder, no parent, an edited file."""
    if path.is_dir():
        raise ConfigError([f"{path}: is a folder; name a file in it, {path / 'config.toml'} say"])
    if not path.parent.is_dir() and path not in default_config_paths():
        raise ConfigError([f"{path}: there is no folder {path.parent}; make it first"])
    if os.path.lexists(path) and not force and not _is_untouched(path):
        raise ConfigError([f"{path}: exists already and is left as it is; --force writes over it"])


def write_template(path: Path, answers: Mapping[str, Any], force: bool = False) -> None:
    """Write the template with these answers, readable by its owner alone: it may hold secrets. An
    existing file is replaced only with `force`, or when it is the template without answers. Raises
    ConfigError when the file is left alone or cannot be written."""
    text = render_template(**answers)
    # Written aside and made anew (O_EXCL): nobody reads half a file, and no link is followed.
    aside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        if force or _is_untouched(path):
            aside.replace(path)
        else:
            # Unlike a rename, a link fails when somebody has made that file meanwhile.
            path.hardlink_to(aside)
    except FileExistsError:
        raise ConfigError([f"{path}: exists already and is left as it is; --force writes over it"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from error
    finally:
        aside.unlink(missing_ok=True)


def _is_untouched(path: Path) -> bool:
    return path.is_file() and path.read_bytes() == render_template().encode()


def toml_value(value: Any) -> str:
    """Return a text, path, secret, number, truth value, list or table as TOML."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_value(str(k))} = {toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError([f"{text!r}: cannot be written in TOML, which is UTF-8"]) from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def default_as_toml(field: FieldInfo) -> str:
    """Return a key's default as it stands in the template: `"1d"`, `[]`, `""` for none."""
    value = field.default
    if value is None or value is PydanticUndefined:
        return '""'
    readers = {getattr(item, "func", None) for item in field.metadata}
    if parse_duration in readers:
        return toml_value(format_duration(value)) if value % 60 == 0 else toml_value(value)
    if parse_size in readers:
        return toml_value(format_size(value))
    return toml_value(value)


def _template_lines(keys: Mapping[str, FieldInfo], given: Mapping[str, Any]) -> Iterator[str]:
    section = ""
    for key, field in keys.items():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            yield ""
            yield from (f"# {line.strip()}".rstrip() for line in _help(table).splitlines())
            yield f"[{table}]"
        value = toml_value(given[key]) if key in given else default_as_toml(field)
        shown = f"{name} = {value}" if key in given or key in KEYS_TO_FILL_IN else f"#{name} = {value}"
        yield f"{shown:<{_VALUE_COLUMN}}  # {field.description}"


def _help(table: str) -> str:
    section: Any = Config
    for name in table.split("."):
        section = section.model_fields[name].annotation
    return section.__doc__ or ""


if __name__ == "__main__":
    print(render_template(), end="")
