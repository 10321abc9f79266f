"""The examples in the docstrings of matching are run, so that they stay true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

from soulspot import matching
from soulspot.matching.scoring.comparison import Sides, trim_sides
from soulspot.matching.views import views_of_tags
from soulspot.models import TrackTags

PACKAGE = Path(matching.__file__).parent
WITH_EXAMPLES = sorted(path for path in PACKAGE.rglob("*.py") if ">>>" in path.read_text(encoding="utf-8"))


def sides(a: dict[str, Any], b: dict[str, Any]) -> Sides:
    """Return both sides of a comparison of tracks with the tags `a` and `b`."""
    one, other = (views_of_tags(TrackTags(**tags))[0] for tags in (a, b))
    return trim_sides(one, other)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_a_module_are_true(path: Path) -> None:
    name = ".".join(path.relative_to(PACKAGE.parents[1]).with_suffix("").parts)
    result = doctest.testmod(importlib.import_module(name), extraglobs={"sides": sides})
    assert result.attempted
    assert result.failed == 0


def test_every_feature_has_an_example() -> None:
    comparison = importlib.import_module("soulspot.matching.scoring.comparison")
    features = [value for name, value in vars(comparison).items() if name.startswith("compare_")]
    assert len(features) == 6
    assert all(">>>" in (feature.__doc__ or "") for feature in features)
