"""The settings of release messages: the values of [export.ddex], checked by its rules."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import ValidationError

from soulspot.config import sections
from soulspot.errors import ConfigError

NAMESPACES = {"4.3": "http://ddex.net/xml/ern/43", "4.3.2": "http://ddex.net/xml/ern/432"}
SECTION = "export.ddex"


class ErnSettings(sections.Ddex):
    """The header and the terms of every message: [export.ddex] with its required values."""

    sender: sections.Dpid
    recipient: sections.Dpid

    @classmethod
    def of(cls, given: sections.Ddex | Mapping[str, Any] | None = None, **terms: Any) -> Self:
        """Build settings from a mapping or a section of a Config; `terms` replace single values.

        Raises ConfigError with every wrong value, and TypeError for an unknown name."""
        values = given.model_dump() if isinstance(given, sections.Ddex) else dict(given or {})
        values |= terms
        if unknown := sorted(values.keys() - cls.model_fields.keys()):
            known = ", ".join(sorted(cls.model_fields))
            raise TypeError(f"unknown settings: {', '.join(unknown)}; known are {known}")
        present = {name: value for name, value in values.items() if value not in (None, "", (), [])}
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            raise ConfigError(list(_problems(error))) from None

    @property
    def namespace(self) -> str:
        return NAMESPACES[self.version]


def _problems(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        key = SECTION + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
        if fault["type"] == "missing":
            yield f"{key} is not set: the DDEX party id (DPID, PADPIDA...) of the {fault['loc'][-1]} of the messages"
        elif fault["type"] == "extra_forbidden":
            yield f"{key} is no known setting"
        else:
            words = fault["msg"].removeprefix("Value error, ").replace("Input should", "should")
            yield f"{key} {words}, not {fault['input']!r}"
