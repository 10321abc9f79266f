"""Positions, dates, lengths and text as taggers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.library import values


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3", (3, None)),
        ("03", (3, None)),
        ("3/12", (3, 12)),
        (" 03 / 12 ", (3, 12)),
        ("3 of 12", (3, 12)),
        ("/12", (None, 12)),
        ("3/", (3, None)),
        ("0", (None, None)),
        ("0/0", (None, None)),
        ("A1", (None, None)),
        ("-1", (None, None)),
        ("1-05", (None, None)),
        ("1.5", (None, None)),
        ("20010203", (None, None)),
        ("", (None, None)),
    ],
)
def test_positions_are_numbers_from_one_or_nothing(written: str, expected: tuple[int | None, int | None]) -> None:
    assert values.parse_position(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2001", "2001"),
        ("2001-02", "2001-02"),
        ("2001-02-03", "2001-02-03"),
        ("2001/2/3", "2001-02-03"),
        ("2001.02.03", "2001-02-03"),
        ("20010203", "2001-02-03"),
        ("2001-02-03T07:00:00Z", "2001-02-03"),
        ("2001-02-03 07:00", "2001-02-03"),
        ("2001-00-00", "2001"),
        ("2001-02-00", "2001-02"),
        ("2001-02-30", "2001-02"),
        ("2001-13-01", "2001"),
        ("03/02/2001", "2001"),
        ("0000", None),
        ("0001-01-01", None),
        ("9999", None),
        ("99", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_dates_are_cut_to_what_is_valid(written: str, expected: str | None) -> None:
    assert values.parse_date(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (225000, 225000),
        ("225000", 225000),
        ("225000.0", 225000),
        (" 3:45 ", 225000),
        ("1:02:03", 3723000),
        ("0:30.5", 30500),
        (0, None),
        (-5, None),
        ("0", None),
        ("0:00", None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        ("nan", None),
        (True, None),
        (None, None),
        ("long", None),
        ("", None),
        ([1], None),
    ],
)
def test_durations_are_milliseconds_above_zero_or_nothing(written: object, expected: int | None) -> None:
    assert values.parse_duration_ms(written) == expected


def test_a_length_that_no_file_has_is_unknown() -> None:
    assert values.seconds_to_ms(217.0404) == 217040
    assert values.seconds_to_ms(1e12) is None
    assert values.seconds_to_ms(0.0) is None
    assert values.seconds_to_ms(None) is None


def test_text_loses_its_padding_and_what_cannot_be_stored() -> None:
    assert values.clean_text("\ufeff  Title \0\0") == "Title"
    assert values.clean_text("a\ud800b") == "a\ufffdb"
    assert values.split_values(["A\0B\0", " ", "C"]) == ["A", "B", "C"]


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=6000))
def test_any_text_becomes_text_that_sqlite_and_json_take(text: str) -> None:
    cleaned = values.clean_text(text)
    assert len(cleaned.encode()) <= values.MAX_VALUE


@given(st.text(max_size=40) | st.from_regex(r"\d{0,5}[-/.:]?\d{0,5}[-/.:]?\d{0,5}", fullmatch=True))
def test_no_text_is_too_odd_for_a_date_a_position_or_a_duration(text: str) -> None:
    number, total = values.parse_position(text)
    assert number is None or 0 < number < 10_000
    assert total is None or 0 < total < 10_000
    day = values.parse_date(text)
    assert day is None or len(day) in (4, 7, 10)
    length = values.parse_duration_ms(text)
    assert length is None or length > 0
