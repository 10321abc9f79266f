"""MusicBrainz searches: whatever stands in a tag, the query stays what it is meant to be."""

from __future__ import annotations

from urllib.parse import quote_plus

from hypothesis import given
from hypothesis import strategies as st

from soulspot.models import Query
from soulspot.providers.musicbrainz_query import MAX_BYTES, bare_title, chunks, clause, joined, lead_artist
from soulspot.sandbox.lucene import Boolean, Phrase, Range, parse

words = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() != "")
scopes = st.sampled_from([None, "wide", "no_length"])


def text(title: str, artist: str | None, **more: str | None) -> Query:
    return Query.of("musicbrainz", "text", title=title, artist=artist, **more)


@given(title=words, artist=st.none() | words, album=st.none() | words, scope=scopes)
def test_every_tag_makes_a_query_that_lucene_parses(title: str, artist: str, album: str, scope: str) -> None:
    query = text(title, artist, album=album, scope=scope, duration_ms="200000")
    parse(clause(query), "recording")


@given(titles=st.lists(words, min_size=1, max_size=30))
def test_searches_are_never_longer_than_the_server_takes_and_lose_no_query(titles: list[str]) -> None:
    queries = [text(title, "Somebody", duration_ms="1000") for title in titles]
    made = list(chunks(queries, 20))
    assert [query for chunk in made for query in chunk] == queries
    assert all(len(chunk) == 1 or len(quote_plus(joined(chunk))) <= MAX_BYTES for chunk in made)
    assert max(map(len, made)) <= 20


def test_a_narrow_clause_asks_for_the_phrase_and_about_ten_seconds_around_the_duration() -> None:
    node = parse(
        clause(text('Say "Hi" (Live)', "Somebody", duration_ms="200000", album="Al\\bum")), "recording"
    )
    assert isinstance(node, Boolean)
    title, artist, duration, album = (part for _, part in node.clauses)
    assert isinstance(title, Boolean)
    assert [part.text for _, part in title.clauses if isinstance(part, Phrase)] == [
        'Say "Hi" (Live)',
        'Say "Hi"',
    ]
    assert artist == Phrase("artist", "Somebody")
    assert duration == Range("dur", "190000", "210000")
    assert album == Phrase("release", "Al\\bum")


def test_recordings_without_a_length_can_be_asked_for() -> None:
    assert "NOT dur:[0 TO 99999999]" in clause(text("A", "B", scope="no_length"))


def test_what_stores_append_to_titles_is_not_required() -> None:
    assert bare_title("Song (feat. Someone) [2011 Remaster]".removesuffix(" [2011 Remaster]")) == "Song"
    assert bare_title("Song - Remastered 2011") == "Song"
    assert bare_title("Re-Offender") == "Re-Offender"


def test_the_first_name_of_a_credit_stands_for_all() -> None:
    assert lead_artist("A feat. B") == "A"
    assert lead_artist("Simon & Garfunkel") == "Simon"
    assert lead_artist("Withered Hand") == "Withered Hand"
    assert lead_artist("& the Others") == "the Others"
