"""MusicBrainz searches: the query keeps its meaning, whatever stands in a tag."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.models import Query
from soulspot.providers.musicbrainz.clauses import MAX_BYTES, build_clause, join_clauses, split_searches
from soulspot.sandbox.search.lucene import Boolean, Phrase, Range, Term, parse
from soulspot.text import bare_title, is_latin, lead_artist

words = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() != "")
kinds = st.sampled_from(["text", "loose"])


def text(title: str, artist: str | None, kind: str = "text", **more: str | None) -> Query:
    return Query.of("musicbrainz", kind, title=title, artist=artist, **more)


def leaves(query: Query, *, slips: bool = True) -> list[object]:
    """Return the terms of a clause, without the operators between them."""
    found, open_nodes = [], [parse(build_clause(query, slips=slips), "recording")]
    while open_nodes:
        node = open_nodes.pop(0)
        if isinstance(node, Boolean):
            open_nodes += [part for _, part in node.clauses]
        else:
            found.append(node)
    return found


@given(title=words, artist=st.none() | words, album=st.none() | words, kind=kinds, scope=st.sampled_from([None, "wide"]),
       length=st.sampled_from([None, "200000"]))  # fmt: skip
def test_every_tag_makes_a_query_that_lucene_parses(
    title: str, artist: str | None, album: str | None, kind: str, scope: str | None, length: str | None
) -> None:
    parse(build_clause(text(title, artist, kind, album=album, scope=scope, duration_ms=length)), "recording")


@given(name=words)
def test_every_name_of_an_artist_makes_a_query_that_lucene_parses(name: str) -> None:
    parse(build_clause(Query.of("musicbrainz", "artist", name=name)), "artist")


@given(
    album=words,
    artist=st.none() | words,
    arid=st.none() | st.just("a-b c-d"),
    tracks=st.none() | st.just("12"),
)
def test_every_album_makes_a_query_that_lucene_parses(
    album: str, artist: str | None, arid: str | None, tracks: str | None
) -> None:
    asked = Query.of("musicbrainz", "album", album=album, artist=artist, arid=arid, tracks=tracks)
    parse(build_clause(asked), "release")


@given(titles=st.lists(words, min_size=1, max_size=30))
def test_searches_are_never_longer_than_the_server_takes_and_lose_no_query(titles: list[str]) -> None:
    queries = [text(title, "Somebody", duration_ms="1000") for title in titles]
    made = list(split_searches(queries, 20))
    assert [query for chunk in made for query in chunk] == queries
    assert all(len(chunk) == 1 or len(quote_plus(join_clauses(chunk))) <= MAX_BYTES for chunk in made)
    assert max(map(len, made)) <= 20


def test_a_narrow_clause_asks_for_the_bare_phrases_and_about_five_seconds_around_the_duration() -> None:
    node = parse(
        build_clause(text('Say "Hi" (Live)', "Somebody feat. X", duration_ms="200000", album="Al\\bum")),
        "recording",
    )
    assert isinstance(node, Boolean)
    title, artist, duration, album = (part for _, part in node.clauses)
    assert title == Phrase("recording", 'Say "Hi"')  # stands in the longer title, too
    assert artist == Phrase("artist", "Somebody")
    assert duration == Range("dur", "195000", "205000")
    assert album == Phrase("release", "Al\\bum")


def test_ninety_minutes_are_not_measured_to_the_second() -> None:
    assert Range("dur", "5346000", "5454000") in leaves(text("A", "B", duration_ms="5400000"))


def test_a_loose_clause_allows_slips_in_long_words_and_a_length_nobody_knows() -> None:
    query = text("The Rusty Lantren of 99", "Samuel Qulil", "loose", duration_ms="200000")
    near = {(one.field, one.text, one.fuzzy) for one in leaves(query) if isinstance(one, Term)}
    assert near == {
        ("recording", "rusty", 1), ("recording", "lantren", 1), ("recording", "99", None),
        ("artist", "samuel", 1), ("artist", "qulil", 1),
    }  # fmt: skip
    assert Range("dur", "0", "99999999") in leaves(query)
    assert all(one.fuzzy is None for one in leaves(query, slips=False) if isinstance(one, Term))


def test_a_name_in_another_script_than_the_title_is_not_required() -> None:
    length = Range("dur", "198000", "202000")
    assert length in leaves(text("夜明け", "Ren Sakurai", "loose", duration_ms="200000"))
    assert length in leaves(text("Song", None, "loose", duration_ms="200000"))
    assert length not in leaves(text("Song", "Band", "loose", duration_ms="200000"))


def test_an_artist_is_asked_for_by_all_names_in_any_order() -> None:
    asked = Query.of("musicbrainz", "artist", name="Sakurai, Ren")
    fields = {(one.field, one.text) for one in leaves(asked) if isinstance(one, Term)}
    assert fields == {(f, t) for f in ("artist", "alias", "sortname") for t in ("ren", "sakurai")}


def test_what_stores_append_to_titles_is_not_required() -> None:
    assert bare_title("Song (feat. Someone) [2011 Remaster]".removesuffix(" [2011 Remaster]")) == "Song"
    assert bare_title("Song - Remastered 2011") == "Song"
    assert bare_title("Re-Offender") == "Re-Offender"


def test_the_first_name_of_a_credit_stands_for_all() -> None:
    assert lead_artist("A feat. B") == "A"
    assert lead_artist("Simon & Garfunkel") == "Simon"
    assert lead_artist("Withered Hand") == "Withered Hand"
    assert lead_artist("& the Others") == "the Others"


@pytest.mark.parametrize(
    ("name", "latin"),
    [("Gülşen", True), ("Ren", True), ("夜", False), ("Кино", False), ("1984", True), ("", True)],
)
def test_latin_letters_are_told_from_others(name: str, latin: bool) -> None:
    assert is_latin(name) is latin
