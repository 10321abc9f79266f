"""The frozen `Config` of all sections, and the walk over its keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from soulspot.config.sections import (
    Alarms,
    Database,
    Export,
    Http,
    Library,
    Limits,
    Log,
    Matching,
    Merge,
    Providers,
    Refresh,
    Retry,
    Scheduler,
    Section,
    Webhooks,
    WriteTags,
)


class Config(BaseSettings):
    """The whole configuration; `soulspot.config` builds it, checked, from files and environment."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        env_prefix="SOULSPOT_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        enable_decoding=False,
    )

    library: Library = Library()
    database: Database = Field(default_factory=Database)  # not at import: it looks up the home folder
    providers: Providers = Providers()
    matching: Matching = Matching()
    merge: Merge = Merge()
    retry: Retry = Retry()
    refresh: Refresh = Refresh()
    scheduler: Scheduler = Scheduler()
    http: Http = Http()
    webhooks: Webhooks = Webhooks()
    log: Log = Log()
    limits: Limits = Limits()
    alarms: Alarms = Alarms()
    export: Export = Export()
    write_tags: WriteTags = WriteTags()

    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _source: Path | None = PrivateAttr(default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth knowing and stops nothing, a provider that is off say."""
        return self._warnings

    @property
    def source(self) -> Path | None:
        """The file this was read from; None when there was none."""
        return self._source

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: the layers are put together by `soulspot.config`, which must know where each
        value came from to say so when it is wrong."""
        return (init_settings,)


def section_of(annotation: Any) -> type[Section] | None:
    """The kind of tables that a key of this type lists; None when it holds plain values."""
    return next((a for a in get_args(annotation) if isinstance(a, type) and issubclass(a, Section)), None)


def walk_keys(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key that holds a value, with its full name ("providers.spotify.rate"), section by section.

    A list of tables is one key."""
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from walk_keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
