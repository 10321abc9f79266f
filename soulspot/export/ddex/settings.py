"""The settings of release messages: sender, recipient, deals, and stand-ins for absent values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from soulspot.errors import ConfigError

DPID = re.compile(r"PADPIDA[a-zA-Z0-9]+")
LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z]+)?(-[a-zA-Z]{2}|-[0-9]{3})?")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
VERSIONS = {"4.3": "http://ddex.net/xml/ern/43", "4.3.2": "http://ddex.net/xml/ern/432"}
SECTION = "export.ddex"


@dataclass(frozen=True, slots=True)
class ErnDeal:
    """A deal, the same for every release, in words of the allowed-value sets of DDEX."""

    commercial_model: str = "SubscriptionModel"
    use_types: tuple[str, ...] = ("OnDemandStream",)
    territories: tuple[str, ...] = ("Worldwide",)
    start_date: str | None = None  # YYYY-MM-DD; by default the date of the release


@dataclass(frozen=True, slots=True)
class ErnSettings:
    """The header and the terms of every message, named like the keys of [export.ddex]."""

    sender: str = ""  # a DPID, as is `recipient`
    sender_name: str | None = None
    recipient: str = ""
    recipient_name: str | None = None
    deals: tuple[ErnDeal, ...] = ()
    language: str = "en"
    label: str | None = None  # stands in for an absent label, as `genre` for an absent genre
    genre: str | None = None
    release_type: str | None = None  # by default number and length of the tracks decide
    version: str = "4.3"
    profile: str | None = "Audio"
    test: bool = False

    @classmethod
    def of(cls, given: object = None, **terms: Any) -> Self:
        """Build settings from a mapping, other settings, or a section of a Config.

        `terms` replace single values. Raises ConfigError with every wrong value, and TypeError for
        an unknown name."""
        values = _values(cls, "settings", given or {}, terms)
        # A section of a Config has deals of its own class.
        values["deals"] = tuple(_deal(deal) for deal in values.get("deals", ()))
        settings = cls(**values)
        if problems := list(settings.problems()):
            raise ConfigError(problems)
        return settings

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each value that makes every message wrong, with its key."""
        for name in ("sender", "recipient"):
            value = getattr(self, name)
            if not value:
                yield (
                    f"{SECTION}.{name} is not set: the DDEX party id (DPID, PADPIDA...) of the {name} of the messages"
                )
            elif not DPID.fullmatch(value):
                yield f'{SECTION}.{name} should be a DDEX party id such as "PADPIDA2013042401U", not {value!r}'
        if not LANGUAGE.fullmatch(self.language):
            yield f'{SECTION}.language should be a language code such as "en" or "ja-Jpan", not {self.language!r}'
        if self.version not in VERSIONS:
            yield f"{SECTION}.version should be one of {', '.join(VERSIONS)}, not {self.version!r}"
        for number, deal in enumerate(self.deals):
            if deal.start_date and not DATE.fullmatch(deal.start_date):
                yield f"{SECTION}.deals[{number}].start_date should be YYYY-MM-DD, not {deal.start_date!r}"

    @property
    def namespace(self) -> str:
        """The XML namespace of the messages."""
        return VERSIONS[self.version]


def _values(kind: type[Any], called: str, *sources: object) -> dict[str, Any]:
    """Return the fields that mappings or objects with attributes set, the last source first."""
    names = [one.name for one in fields(kind)]
    found: dict[str, Any] = {}
    for source in sources:
        if not isinstance(source, Mapping):
            source = {name: getattr(source, name, None) for name in names}
        elif unknown := sorted(source.keys() - names):
            raise TypeError(f"unknown {called}: {', '.join(unknown)}; known are {', '.join(sorted(names))}")
        found |= source
    return {name: value for name, value in found.items() if value not in (None, "", (), [])}


def _deal(given: object) -> ErnDeal:
    if isinstance(given, ErnDeal):
        return given
    values = _values(ErnDeal, "in a deal", given)
    for name in ("use_types", "territories"):
        if name in values:
            values[name] = (values[name],) if isinstance(values[name], str) else tuple(values[name])
    return ErnDeal(**values)
