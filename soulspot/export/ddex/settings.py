"""What a release message says besides the music: who sends it to whom, on which terms, and what stands in for gaps."""

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
    """One deal, the same for every release. The words are those of DDEX' allowed-value sets.

    Without `start_date` (YYYY-MM-DD) it begins with the release."""

    commercial_model: str = "SubscriptionModel"
    use_types: tuple[str, ...] = ("OnDemandStream",)
    territories: tuple[str, ...] = ("Worldwide",)
    start_date: str | None = None


@dataclass(frozen=True, slots=True)
class ErnSettings:
    """The header and the terms of every message; the names are those of the keys below [export.ddex].

    `sender` and `recipient` are DPIDs. `label`, `genre` and `release_type` stand in where a record has none;
    without a release type it follows from number and length of the tracks. `version` is "4.3" or "4.3.2"."""

    sender: str = ""
    sender_name: str | None = None
    recipient: str = ""
    recipient_name: str | None = None
    deals: tuple[ErnDeal, ...] = ()
    language: str = "en"
    label: str | None = None
    genre: str | None = None
    release_type: str | None = None
    version: str = "4.3"
    profile: str | None = "Audio"
    test: bool = False

    @classmethod
    def of(cls, given: object = None, **terms: Any) -> Self:
        """From these settings, a mapping, or anything that has attributes of their names (a section of a Config);
        `terms` replace single ones. Raises ConfigError with every problem, TypeError for an unknown name."""
        names = {one.name for one in fields(cls)}
        if isinstance(given, Mapping):
            terms = {**given, **terms}
        if strange := sorted(terms.keys() - names):
            raise TypeError(f"unknown settings: {', '.join(strange)}; known are {', '.join(sorted(names))}")
        values = {name: terms.get(name, getattr(given, name, None)) for name in names}
        values["deals"] = tuple(_deal(one) for one in values["deals"] or ())
        settings = cls(**{name: value for name, value in values.items() if value not in (None, "")})
        if problems := list(settings.problems()):
            raise ConfigError(problems)
        return settings

    def problems(self) -> Iterator[str]:
        """What keeps every message from being written, each with its key."""
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


def _deal(given: object) -> ErnDeal:
    if isinstance(given, ErnDeal):
        return given
    names = [one.name for one in fields(ErnDeal)]
    if isinstance(given, Mapping):
        if strange := sorted(given.keys() - names):
            raise TypeError(f"unknown in a deal: {', '.join(strange)}; known are {', '.join(names)}")
        values = dict(given)
    else:
        values = {name: getattr(given, name, None) for name in names}
    for name in ("use_types", "territories"):
        if isinstance(values.get(name), str):
            values[name] = (values[name],)
    return ErnDeal(**{name: _frozen(value) for name, value in values.items() if value})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
