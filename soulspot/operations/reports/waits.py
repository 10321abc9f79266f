"""Reasons why a provider gets no requests now: its gate is closed, or its pump holds back."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from soulspot.store.times import epoch_seconds, iso

if TYPE_CHECKING:
    from soulspot.pipeline import EnrichmentService

WORTH_LIFTING = 3600.0  # seconds from which on a pause may be an error of the service
WORTH_SAYING = 5.0  # seconds; a shorter wait is over before a person has read about it
OFFLINE = "No service can be reached: is this machine online?"
UNREACHABLE = "cannot be reached"


@dataclass(frozen=True, slots=True)
class Wait:
    """A provider that gets no requests `until` (epoch seconds), and `why`, for people. `broken`:
    its breaker is open. `held`: its pump holds back after errors. `paused`: the service asked for
    it, and a person can lift that."""

    provider: str
    until: float
    why: str
    broken: bool
    held: bool = False
    paused: bool = False

    @property
    def reason(self) -> str:
        """The reason as part of a sentence: "cannot be reached (...)"."""
        if not self.broken:
            return self.why
        return f"answers with errors ({self.why})" if "HTTP 5" in self.why else f"{UNREACHABLE} ({self.why})"

    @property
    def key(self) -> tuple[str, bool, str]:
        """Equal for waits to announce once: the reasons of a broken service vary."""
        return self.provider, self.broken, "" if self.broken else self.why

    def __str__(self) -> str:
        if self.broken or self.held:
            return f"{self.provider}: {self.reason}; trying again at {clock_text(self.until)}"
        words = f"{self.provider}: waits until {clock_text(self.until, full=True)}: {self.why}"
        if self.paused and self.until - time.time() > WORTH_LIFTING:
            words += f"; to ask again before: soulspot retry --provider={self.provider} --lift-pause"
        return words


def clock_text(moment: float, *, full: bool = False) -> str:
    """Return epoch seconds as local time: "14:05" today, or (`full`) "2026-01-31 14:05 CET"."""
    local = datetime.fromtimestamp(moment).astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M}" if today and not full else f"{local:%Y-%m-%d %H:%M %Z}"


def current_waits(
    gates: Iterable[Mapping[str, Any]], pumps: Mapping[str, Mapping[str, Any]], errors: Mapping[str, str]
) -> list[Wait]:
    """Return the waits of the `gates` and `pumps` of a status document, by provider. `errors` has
    the last error of each provider."""
    found: dict[str, Wait] = {}
    for name, pump in pumps.items():
        if held := pump.get("held"):
            found[name] = Wait(name, epoch_seconds(held["until"]), held["why"], broken=False, held=True)
    for gate in gates:
        if not gate["limited_until"]:
            continue
        name, until = gate["provider"], epoch_seconds(gate["limited_until"])
        is_broken = gate["breaker"] != "closed"
        before = found.get(name)
        # The error that made the pump hold back says more than the breaker does.
        error = before.why if before and before.held else errors.get(name)
        why = f"{gate['why']}: {error}" if is_broken and error else gate["why"]
        if before is None or is_broken or until > before.until:
            longest = max(until, before.until if before else 0.0)
            # a daemon of an earlier version has no such key
            found[name] = Wait(name, longest, why, is_broken, paused=gate.get("paused", False))
    return [found[name] for name in sorted(found)]


class WaitWatch:
    """The waits of a service, for a caller that looks now and then. It remembers the last error of
    each provider: a pump's hold, which knows it, ends before the gate opens."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._errors: dict[str, str] = {}

    def current(self) -> list[Wait]:
        """Return the waits as they are now, by provider."""
        pumps = {}
        for pump in self._service.pumps:
            held = pump.held()
            if held:
                self._errors[pump.name] = held[1]
            pumps[pump.name] = {"held": held and {"until": iso(held[0]), "why": held[1]}}
        gates = [
            {"provider": gate.provider, "breaker": gate.breaker, "why": gate.why,
             "limited_until": iso(gate.opens_at) if gate.opens_at else None, "paused": gate.paused}
            for gate in self._service.parts.gates.snapshot()
        ]  # fmt: skip
        return current_waits(gates, pumps, self._errors)


class Announcer:
    """Lines for people about waits: each wait once, when it begins."""

    def __init__(self) -> None:
        self._announced: set[tuple[str, bool, str]] = set()
        self._is_offline = False

    def new_lines(self, found: Iterable[Wait], providers: Collection[str]) -> list[str]:
        """Return lines about the new waits since the last call; `providers` are all that are on."""
        waits = [wait for wait in found if wait.until - time.time() >= WORTH_SAYING]
        lines = [str(wait) for wait in waits if wait.key not in self._announced]
        self._announced = {wait.key for wait in waits}
        unreachable = {wait.provider for wait in waits if wait.reason.startswith(UNREACHABLE)}
        is_offline = bool(providers) and set(providers) <= unreachable
        if is_offline and not self._is_offline:
            lines.append(OFFLINE)
        self._is_offline = is_offline
        return lines
