"""Why a service is not asked just now, in words: its gate is closed, or its pump keeps from asking."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from soulspot.store.times import epoch_seconds, iso

if TYPE_CHECKING:
    from soulspot.pipeline import EnrichmentService

WORTH_SAYING = 5.0  # seconds; a shorter wait is over before it is read
OFFLINE = "No service can be reached: is this machine online?"
UNREACHABLE = "cannot be reached"


@dataclass(frozen=True, slots=True)
class Wait:
    """A service that is left alone: `until` in epoch seconds, `why` in words, `broken` when it does not answer."""

    provider: str
    until: float
    why: str
    broken: bool
    held: bool = False

    @property
    def reason(self) -> str:
        """Why, as a part of a sentence."""
        if not self.broken:
            return self.why
        return f"answers with errors ({self.why})" if "HTTP 5" in self.why else f"{UNREACHABLE} ({self.why})"

    def __str__(self) -> str:
        if self.broken or self.held:
            return f"{self.provider}: {self.reason}; trying again at {clock_text(self.until)}"
        return f"{self.provider}: waits until {clock_text(self.until, full=True)}: {self.why}"


def clock_text(moment: float, *, full: bool = False) -> str:
    """A moment (epoch seconds) on this machine's clock: the time alone today, unless `full`."""
    local = datetime.fromtimestamp(moment).astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M}" if today and not full else f"{local:%Y-%m-%d %H:%M %Z}"


def current_waits(
    gates: Iterable[Mapping[str, Any]], pumps: Mapping[str, Mapping[str, Any]], errors: Mapping[str, str]
) -> list[Wait]:
    """Who is left alone, out of `gates` and `pumps` of a status; `errors`: what last went wrong, by provider."""
    found: dict[str, Wait] = {}
    for name, pump in pumps.items():
        if held := pump.get("held"):
            found[name] = Wait(name, epoch_seconds(held["until"]), held["why"], broken=False, held=True)
    for gate in gates:
        if not gate["limited_until"]:
            continue
        name, until = gate["provider"], epoch_seconds(gate["limited_until"])
        broken = gate["breaker"] != "closed"
        before = found.get(name)
        error = before.why if before and before.held else errors.get(name)
        why = f"{gate['why']}: {error}" if broken and error else gate["why"]
        if before is None or broken or until > before.until:
            found[name] = Wait(name, max(until, before.until if before else 0.0), why, broken)
    return [found[name] for name in sorted(found)]


class WaitWatch:
    """Looks at a service now and then, and remembers each provider's last error: a hold ends before its gate opens."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._errors: dict[str, str] = {}

    def current(self) -> list[Wait]:
        """Who is left alone now."""
        pumps = {}
        for pump in self._service.pumps:
            held = pump.held()
            if held:
                self._errors[pump.name] = held[1]
            pumps[pump.name] = {"held": held and {"until": iso(held[0]), "why": held[1]}}
        gates = [
            {"provider": gate.provider, "breaker": gate.breaker, "why": gate.why,
             "limited_until": iso(gate.opens_at) if gate.opens_at else None}
            for gate in self._service.parts.gates.snapshot()
        ]  # fmt: skip
        return current_waits(gates, pumps, self._errors)


class Announcer:
    """Says each wait once, when it begins."""

    def __init__(self) -> None:
        self._said: set[tuple[str, bool, str]] = set()
        self._offline = False

    def new_lines(self, found: Iterable[Wait], providers: Collection[str]) -> list[str]:
        """What is new since the last call; `providers` are all that are on."""
        found = [one for one in found if one.until - time.time() >= WORTH_SAYING]
        keys = {(one.provider, one.broken, "" if one.broken else one.why) for one in found}
        lines = [
            str(one)
            for one in found
            if (one.provider, one.broken, "" if one.broken else one.why) not in self._said
        ]
        self._said = keys
        offline = bool(providers) and set(providers) <= {
            one.provider for one in found if one.reason.startswith(UNREACHABLE)
        }
        if offline and not self._offline:
            lines.append(OFFLINE)
        self._offline = offline
        return lines
