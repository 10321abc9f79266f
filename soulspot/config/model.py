"""The frozen `Config` of all sections, and the walk over its keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsConfigDict

from soulspot.config import sections
from soulspot.config.sections import Section


class Config(Section):
    """The whole configuration; the functions in `soulspot.config` build it from its sources."""

    # For `read_environment`, which splits lists itself instead of decoding JSON.
    model_config = SettingsConfigDict(
        env_prefix="SOULSPOT_", env_nested_delimiter="__", env_ignore_empty=True, enable_decoding=False
    )

    library: sections.Library = sections.Library()
    # Not built at import: its default looks up the home folder.
    database: sections.Database = Field(default_factory=sections.Database)
    providers: sections.Providers = sections.Providers()
    matching: sections.Matching = sections.Matching()
    merge: sections.Merge = sections.Merge()
    retry: sections.Retry = sections.Retry()
    refresh: sections.Refresh = sections.Refresh()
    scheduler: sections.Scheduler = sections.Scheduler()
    retention: sections.Retention = sections.Retention()
    http: sections.Http = sections.Http()
    webhooks: sections.Webhooks = sections.Webhooks()
    log: sections.Log = sections.Log()
    limits: sections.Limits = sections.Limits()
    alarms: sections.Alarms = sections.Alarms()
    export: sections.Export = sections.Export()
    write_tags: sections.WriteTags = sections.WriteTags()
    daemon: sections.Daemon = sections.Daemon()

    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _withheld: tuple[str, ...] = PrivateAttr(default=())
    _source: Path | None = PrivateAttr(default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about things that stop nothing, such as a provider that is off."""
        return self._warnings

    @property
    def withheld(self) -> tuple[str, ...]:
        """Problems of secrets that this user lacks, or may not read; only work that needs none of
        them is possible."""
        return self._withheld

    @property
    def source(self) -> Path | None:
        """The file that the configuration was read from; None without one."""
        return self._source


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section whose tables a key of this type lists; None for plain values."""
    return next((a for a in get_args(annotation) if isinstance(a, type) and issubclass(a, Section)), None)


def walk_keys(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield ("providers.spotify.rate", field) of every key; a list of tables is one key."""
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from walk_keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
