"""The query language of the local MusicBrainz: queries that Lucene understands or refuses."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.sandbox.search.analysis import tokens
from soulspot.sandbox.search.index import Field, Index
from soulspot.sandbox.search.lucene import BadQuery, Boolean, Occur, Term, escape, parse
from soulspot.sandbox.search.matching import search

_TITLES = [
    "Silver Harbour",
    "Silver River",
    "The Golden River",
    "AC/DC",
    "Björk's Río",
    "東京の夜",
    "river river river",
]
_LENGTHS = ["100", "200", "300", "400", "500", "600", "700"]
_DATES = ["2001", "2001-05", "2001-05-17", "1999-12-31", "", "2010", "1960"]


def _index() -> Index:
    fields = {
        "recording": Field("text", lambda doc: [_TITLES[doc]]),
        "dur": Field("number", lambda doc: [_LENGTHS[doc]]),
        "date": Field("date", lambda doc: [_DATES[doc]] if _DATES[doc] else []),
        "status": Field("keyword", lambda doc: ["Official" if doc % 2 else "Bootleg"]),
        "rid": Field("mbid", lambda doc: [f"0000000{doc}-0000-4000-8000-000000000000"]),
    }
    return Index(len(_TITLES), fields, "recording")


def _found(query: str) -> list[int]:
    return sorted(doc for doc, _ in search(_index(), query, 100, 0, Random(1)).docs)


@pytest.mark.parametrize(
    ("query", "docs"),
    [
        ("silver", [0, 1]),
        ("recording:silver AND recording:river", [1]),
        ("silver river", [0, 1, 2, 6]),
        ("+silver -river", [0]),
        ("silver NOT harbour", [1]),
        ("silver && !harbour", [1]),
        ('"golden river"', [2]),
        ('"the river"', []),
        ('"the river"~1', [2]),
        ("recording:(harbour OR golden)", [0, 2]),
        ("(silver OR golden) AND river", [1, 2]),
        ("dur:[150 TO 300]", [1, 2]),
        ("dur:{200 TO 300]", [2]),
        ("dur:[* TO 200]", [0, 1]),
        ("dur:300", [2]),
        ("river AND dur:[600 TO *]", [6]),
        ("bjork", [4]),
        ("BJÖRK", [4]),
        (r"AC\/DC", [3]),
        ('"ac/dc"', [3]),
        ("東京", [5]),
        ('"東京"', [5]),
        ("silv*", [0, 1]),
        ("s?lver", [0, 1]),
        ("rivr~1", [1, 2, 6]),
        ("/gold.*/", [2]),
        ("date:2001", [0, 1, 2]),
        ("date:2001-05", [0, 1, 2]),
        ("date:[2000 TO 2001]", [0, 1, 2]),
        ("status:official AND river", [1]),
        ("NOT status:official", [0, 2, 4, 6]),
        ("*:*", [0, 1, 2, 3, 4, 5, 6]),
        ("rid:(00000001-0000-4000-8000-000000000000 OR 00000003-0000-4000-8000-000000000000)", [1, 3]),
        ("rid:0000000A-0000-4000-8000-000000000000", []),
        ("silver AND harbour OR golden", [0]),
        ("harbour^2 OR golden", [0, 2]),
    ],
)
def test_a_query_finds_what_lucene_would_find(query: str, docs: list[int]) -> None:
    assert _found(query) == docs


@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "  ",
            "(a",
            "a)",
            "()",
            "rid:()",
            "AC/DC",
            '"open',
            "a AND",
            "OR a",
            "AND",
            "a AND OR b",
            "foo: ",
        ),
        *("dur:[1 2]", "dur:[1 TO", "a: b: c", "a^", "trailing\\", "!", "a!", "[", "recording:"),
    ],
)
def test_a_query_lucene_cannot_parse_is_refused(query: str) -> None:
    with pytest.raises(BadQuery):
        _found(query)


@pytest.mark.parametrize("query", ["nosuchfield:a", "dur:abc", "dur:[a TO b]", "rid:zz", "date:yesterday"])
def test_a_value_the_field_cannot_read_fails_the_whole_query(query: str) -> None:
    with pytest.raises(BadQuery):
        _found(f"silver OR {query}")


def test_and_binds_its_neighbours_and_or_does_not_undo_it() -> None:
    tree = parse("a OR b AND c", "f")
    assert isinstance(tree, Boolean)
    assert [occur for occur, _ in tree.clauses] == [Occur.SHOULD, Occur.MUST, Occur.MUST]


@given(st.text(alphabet=st.characters(exclude_categories=["Z", "C"]), min_size=1))
def test_escaped_text_is_one_term_or_words_and_never_an_error(text: str) -> None:
    if text in ("AND", "OR", "NOT"):
        return
    assert parse(escape(text), "f") == Term("f", text)


def test_tokens_fold_case_accents_width_and_kana_but_part_at_apostrophes() -> None:
    assert tokens("Don't Łódź Ｆｕｌｌ") == ("don", "t", "lodz", "full")
    assert tokens("サクラ") == tokens("さくら") == ("さ", "く", "ら")
    assert tokens("ガ") != tokens("カ")
    assert tokens("밤바다 ليل") == ("밤바다", "ليل")
    assert tokens("Björk", accents=True) == ("björk",)


def test_a_short_field_that_is_all_about_the_word_scores_best() -> None:
    hits = search(_index(), "silver OR harbour", 100, 0, Random(1))
    assert hits.docs[0] == (0, 100)
    assert hits.docs[1][1] < 100


def test_ties_stand_in_another_order_each_time() -> None:
    index, rng = Index(50, {"f": Field("keyword", lambda doc: ["same"])}, "f"), Random(1)
    orders = {tuple(doc for doc, _ in search(index, "same", 100, 0, rng).docs) for _ in range(5)}
    assert len(orders) == 5


def test_broad_clauses_crowd_narrow_ones_out_of_the_first_page() -> None:
    index = Index(300, {"f": Field("keyword", lambda doc: ["narrow" if doc == 7 else "broad"])}, "f")
    pages = [search(index, "narrow OR broad", 100, 0, Random(seed)) for seed in range(20)]
    assert all(page.total == 300 for page in pages)
    assert any(7 not in [doc for doc, _ in page.docs] for page in pages)
