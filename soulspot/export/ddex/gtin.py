"""Barcodes (GTIN): what is one, and its check digit; pure."""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"[\s-]+")
_LENGTHS = (8, 12, 13, 14)


def gtin(value: object) -> str:
    """The digits of a barcode: EAN-8, UPC-A (12), EAN-13 or GTIN-14; hyphens and spaces are left out.

    A number lost its leading zeros on its way, through a spreadsheet say: it gets them back. Raises ValueError, in
    words for a person, when it is none or its check digit is wrong."""
    number = isinstance(value, (int, float))
    text = f"{value:.0f}" if number else _BETWEEN.sub("", str(value))
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{str(value)!r:.60} is no barcode: it should have 8, 12, 13 or 14 digits")
    if len(text) == 11 or (number and 8 < len(text) < 12):
        text = text.zfill(12)
    if len(text) not in _LENGTHS:
        raise ValueError(f"{text:.60} is no barcode: it has {len(text)} digits and not 8, 12, 13 or 14")
    if not text.strip("0"):
        raise ValueError(f"{text} is no barcode: there is nothing but zeros in it")
    if (wanted := check_digit(text[:-1])) != int(text[-1]):
        raise ValueError(
            f"{text} is no barcode: its last digit should be {wanted}, so one of the others may be wrong"
        )
    return text


def check_digit(digits: str) -> int:
    """The digit that a GTIN ends in after these: the rightmost of them counts three times, every second one."""
    return -sum(int(digit) * (3 - 2 * (place % 2)) for place, digit in enumerate(reversed(digits))) % 10
