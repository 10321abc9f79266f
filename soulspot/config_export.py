"""The sections about handing on what was found: exports, release messages, covers, and tags in the files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from soulspot.config_section import Section, key
from soulspot.config_values import Texts


class Deal(Section):
    """One deal of a DDEX release message; the words are those of the DDEX allowed-value sets."""

    commercial_model: str = key("SubscriptionModel", "the CommercialModelType")
    use_types: Texts = key(("OnDemandStream",), "the UseTypes")
    territories: Texts = key(("Worldwide",), "the TerritoryCodes")
    start_date: str | None = key(None, "YYYY-MM-DD; absent: the release date", pattern=r"^\d{4}-\d\d-\d\d$")


class Ddex(Section):
    """Who sends DDEX messages to whom, and on which terms. Not used by this version yet."""

    sender: str | None = key(None, "the sender's DDEX party id (DPID)")
    sender_name: str | None = key(None, "the sender's name")
    recipient: str | None = key(None, "the recipient's DDEX party id (DPID)")
    recipient_name: str | None = key(None, "the recipient's name")
    deals: Annotated[tuple[Deal, ...], Field(strict=False)] = key(
        (),
        "tables of commercial_model, use_types, territories and start_date; without one no deal is written",
    )


class Covers(Section):
    """Front covers that go along with an export. Not used by this version yet."""

    enabled: bool = key(False, "fetch covers")
    size: Literal[250, 500, 1200] = key(500, "edge length in pixels: 250, 500 or 1200")


class Export(Section):
    """What exports need to know besides the data."""

    ddex: Ddex = Ddex()
    covers: Covers = Covers()


class WriteTags(Section):
    """Writing what was found back into the files. Not used by this version yet."""

    enabled: bool = key(False, "the daemon writes tags of accepted tracks")
    fields: Texts = key((), "the fields to write; empty: all")
    policy: Literal["only-empty", "overwrite"] = key("only-empty", '"only-empty" or "overwrite"')
