"""The Grafana dashboard asks only for what /metrics tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soulspot.web.metrics import FAMILIES

ROOT = Path(__file__).parent.parent
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
SELECTOR = re.compile(r"(soulspot_\w+)(?:\{([^}]*)\})?")
SCRAPED = {"job", "instance"}  # labels that Prometheus adds


def family(name: str) -> str:
    """The metric that a series belongs to."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if FAMILIES.get(base, ("",))[0] == "histogram" else name


def expressions() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("panel", "expression"), list(expressions()))
def test_every_series_and_label_of_the_dashboard_exists(panel: str, expression: str) -> None:
    asked = SELECTOR.findall(expression)
    assert asked
    labels = set(SCRAPED) | ({"le"} if "_bucket" in expression else set())
    for name, matchers in asked:
        assert family(name) in FAMILIES, name
        known = set(FAMILIES[family(name)].labels)
        assert set(re.findall(r"(\w+) *(?:=~|!~|!=|=)", matchers)) <= known | SCRAPED
        assert name.endswith("_bucket") == (FAMILIES[family(name)].kind == "histogram")
        labels |= known
    for grouping in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        assert set(re.split(r", *", grouping)) <= labels
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize(("panel", "expression"), list(expressions()))
def test_counters_are_asked_for_their_rate_and_gauges_are_not(panel: str, expression: str) -> None:
    for name, _ in SELECTOR.findall(expression):
        growing = FAMILIES[family(name)].kind != "gauge"
        assert bool(re.search(rf"(rate|increase)\({name}\b", expression)) == growing


def test_legends_name_labels_that_the_expression_keeps() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            kept = {one for group in re.findall(r"\bby \(([^)]*)\)", target["expr"]) for one in group.split(", ")}
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= kept, panel["title"]


def test_panels_have_a_place_a_name_and_an_explanation_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel["title"]
        assert panel["description"].endswith(".")
    for key in ("id", "title"):
        assert len({panel[key] for panel in PANELS}) == len(PANELS)


def test_the_dashboard_shows_what_matters_and_names_no_server() -> None:
    used = {family(name) for _, expression in expressions() for name, _ in SELECTOR.findall(expression)}
    for name in ("results_total", "requests_total", "requests_saved", "lookups", "tracks", "limited", "alarm",
                 "batch_items_total", "memory_bytes", "deliveries_total", "budget_spent"):  # fmt: skip
        assert f"soulspot_{name}" in used
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    assert "http" not in json.dumps([panel["targets"] for panel in PANELS])
