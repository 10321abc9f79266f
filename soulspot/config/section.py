"""What every section of config.toml is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from soulspot.config.values import parse_duration


class Section(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def key(default: Any, help_: str, **more: Any) -> Any:
    """A key with its default and the one line that explains it; `more` are pydantic's limits."""
    return Field(default, description=help_, **more)


def seconds(text: str) -> float:
    """A default that is written as people write it: "24h"."""
    return float(parse_duration(text))
