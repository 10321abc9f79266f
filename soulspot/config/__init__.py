"""config.toml and environment in, one frozen `Config` out, or a ConfigError with all problems.
Called by assembly, daemon and cli; the objects they build from it take plain values."""

from soulspot.config.checks import ALL_OFF, LIBRARY_EMPTY, SPOTIFY_OFF
from soulspot.config.loading import (
    default_config_paths,
    find_config,
    load_config,
    make_config,
    reloadable_differences,
    require_means,
)
from soulspot.config.model import Config
from soulspot.config.values import parse_time

__all__ = ["sections", "template"]
