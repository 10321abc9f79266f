"""Checks of a configuration beyond the type of each value: faults and warnings."""

import base64
import ipaddress
import os
from collections.abc import Container, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from soulspot.config import tokens
from soulspot.config.model import Config

# The beginnings of warnings that people may want as they are; commands leave some out.
SPOTIFY_OFF = "providers.spotify is off"
LIBRARY_EMPTY = "library.paths is empty"
ALL_OFF = "every provider is off"
SPOTIFY_SECRET = ("providers", "spotify", "client_secret")
MAKE_SECRET = "`echo whsec_$(openssl rand -base64 32)`"


class Fault(NamedTuple):
    """A fault of the first key, in combination with the other keys."""

    keys: tuple[str, ...]
    message: str
    is_absent_secret: bool = False


def find_faults(config: Config, *, library: bool) -> Iterator[Fault]:
    """Yield everything that forbids running; with `library` also missing library folders."""
    musicbrainz = config.providers.musicbrainz
    if musicbrainz.enabled:
        mb = "providers.musicbrainz."
        if musicbrainz.contact is None:
            yield Fault(
                (mb + "contact", mb + "enabled"),
                "is needed, an e-mail address or URL where you can be reached: MusicBrainz requires "
                "one of every client (or set providers.musicbrainz.enabled = false)",
            )
        if musicbrainz.rate > 1 and is_host_below(musicbrainz.base_url, "musicbrainz.org"):
            yield Fault(
                (mb + "rate", mb + "enabled", mb + "base_url"),
                "must not be above 1: musicbrainz.org refuses all requests of a client that sends more "
                "than one a second (a mirror of your own may take more)",
            )
    if config.matching.accept < config.matching.review:
        yield Fault(("matching.accept", "matching.review"), "must not be below matching.review")
    if config.retry.cap < config.retry.base:
        yield Fault(("retry.cap", "retry.base"), "must not be below retry.base")
    if not is_loopback(config.http.host) and config.http.token is None:
        yield Fault(
            ("http.listen", "http.token", "http.token_file"),
            "is reachable from other machines, which needs http.token (or http.token_file)",
            is_absent_secret=True,
        )
    yield from _token_faults(config)
    yield from _webhook_faults(config)
    if library:
        yield from find_library_faults(config)


def find_library_faults(config: Config) -> Iterator[Fault]:
    """Yield the folders of the library that are missing, or closed to this user."""
    for path in config.library.paths:
        if not os.path.exists(path) and os.access(path.parent, os.X_OK):
            yield Fault(("library.paths",), f"{path} does not exist")
        elif not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            yield Fault(("library.paths",), f"{path} is not readable for this user")


def _token_faults(config: Config) -> Iterator[Fault]:
    if config.http.token is None:
        return
    token = config.http.token.reveal()
    keys: tuple[str, ...] = ("http.token", "http.token_file")
    if why := tokens.why_unsendable(token):
        yield Fault(keys, f"{why}; {tokens.MAKE_TOKEN}")
    elif not is_loopback(config.http.host) and (why := tokens.why_guessable(token)):
        keys = (*keys, "http.listen")
        yield Fault(keys, f"{why}, and http.listen is reachable from other machines; {tokens.MAKE_TOKEN}")


def _webhook_faults(config: Config) -> Iterator[Fault]:
    hooks = config.webhooks
    if hooks.url is None:
        return
    keys: tuple[str, ...] = ("webhooks.secret", "webhooks.secret_file", "webhooks.url")
    if hooks.secret is None:
        yield Fault(keys, "is needed to sign what is sent to webhooks.url", is_absent_secret=True)
    elif not is_signing_key(hooks.secret.reveal()):
        yield Fault(keys, f"should be whsec_ and base64 of 24 to 64 bytes: {MAKE_SECRET} makes one")
    host = urlsplit(hooks.url).hostname or ""
    if not hooks.allow_private and is_loopback(host):
        keys = ("webhooks.url", "webhooks.allow_private")
        yield Fault(keys, "is on this machine, which needs webhooks.allow_private = true")


def is_signing_key(secret: str) -> bool:
    """Whether `secret` is base64 of 24 to 64 bytes, with or without "whsec_" before it."""
    # Receivers accept keys without padding, so it is put back.
    text = secret.removeprefix("whsec_")
    try:
        return 24 <= len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)) <= 64
    except ValueError:
        return False


def find_warnings(config: Config, withheld: Container[tuple[str, ...]] = ()) -> Iterator[str]:
    """Yield sentences about settings that stop nothing but may be mistakes. `withheld` are keys
    whose values this user may not read."""
    spotify = config.providers.spotify
    missing = [name for name in ("client_id", "client_secret") if getattr(spotify, name) is None]
    missing = [name for name in missing if (*SPOTIFY_SECRET[:-1], name) not in withheld]
    if spotify.enabled and missing:
        verb = "are" if len(missing) > 1 else "is"
        yield f"{SPOTIFY_OFF}: {' and '.join(missing)} {verb} not set"
    if not config.library.paths:
        yield f"{LIBRARY_EMPTY}: no folder is scanned unless a command names one"
    providers = config.providers
    if not any(p.enabled for p in (providers.musicbrainz, providers.listenbrainz)) and (missing or not spotify.enabled):
        yield f"{ALL_OFF}: no track can be identified"
    if config.write_tags.embed_covers and not config.export.covers.enabled:
        yield "write_tags.embed_covers is set, but no covers are fetched: set export.covers.enabled too"
    hook = urlsplit(config.webhooks.url or "")
    if hook.scheme == "http" and not is_loopback(hook.hostname or ""):
        yield "webhooks.url is not https: messages would cross the network in the open"
    for name, url, secret in (
        ("providers.spotify.token_url", spotify.token_url, spotify.client_secret),
        ("providers.listenbrainz.base_url", providers.listenbrainz.base_url, providers.listenbrainz.token),
    ):
        parts = urlsplit(url)
        if secret is not None and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            yield f"{name} is not https: credentials would cross the network in the open"


def turn_off_without_credentials(config: Config) -> Config:
    spotify = config.providers.spotify
    if not spotify.enabled or (spotify.client_id and spotify.client_secret):
        return config
    off = spotify.model_copy(update={"enabled": False})
    return config.model_copy(update={"providers": config.providers.model_copy(update={"spotify": off})})


def is_host_below(url: str, domain: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == domain or host.endswith("." + domain)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; of names only localhost counts."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
