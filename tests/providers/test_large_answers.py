"""An answer made to be slow to read holds nothing else up: it is refused before it is parsed."""

from __future__ import annotations

import json

import pytest

from soulspot.errors import BadAnswer
from soulspot.providers import documents
from soulspot.providers.documents import MAX_VALUES, MOST_OBJECTS, decode_json, objects_in

SIXTEEN = 16 << 20


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * (SIXTEEN // 3) + b"[]]", b"[" + b"{}," * (SIXTEEN // 3) + b"{}]", b"[" * SIXTEEN,
        b"[" + b"1," * (SIXTEEN // 2) + b"1]", b"{" + b'"k":1,' * (SIXTEEN // 6) + b'"k":1}',
    ],
    ids=["lists", "objects", "nested", "numbers", "keys"],
)  # fmt: skip
def test_a_body_of_millions_of_values_is_refused_before_it_is_parsed(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[object] = []
    monkeypatch.setattr(documents.json, "loads", lambda *given, **more: parsed.append(given))
    with pytest.raises(BadAnswer, match="more than 500,000 values"):
        decode_json(body)
    assert parsed == []


def test_a_full_answer_and_a_long_text_are_read() -> None:
    recordings = [{"tags": [{"tag": f"tag {n}", "count": n} for n in range(30)]} for _ in range(1000)]
    assert decode_json(json.dumps({"recordings": recordings}).encode()) == {"recordings": recordings}
    text = "a" * (SIXTEEN - 100)
    assert decode_json(json.dumps([text]).encode()) == [text]
    assert len(decode_json(b"[" + b"1," * (MAX_VALUES - 2) + b"1]")) == MAX_VALUES - 1


def test_of_a_list_without_end_a_part_is_read() -> None:
    assert len(list(objects_in([{}] * (3 * MOST_OBJECTS)))) == MOST_OBJECTS
