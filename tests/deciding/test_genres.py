"""Genres of several spellings and sources become a tidy_genres, the weightiest first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.deciding.genres import MOST_GENRES, tidy_genres
from soulspot.deciding.merge import merge, tag_facts
from tests.support.factories import NOTHING, tags


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["Hip-Hop", "hip hop", "HipHop"], ("hip-hop",)),
        (["hip hop", "Hip-Hop"], ("hip hop",)),
        (["R&B", "RnB", "R and B", "r'n'b"], ("r&b",)),
        (["drum and bass", "Drum & Bass", "Drum'n'Bass", "dnb"], ("drum and bass",)),
        (["Rock 'n' Roll", "rock and roll", "rock & roll"], ("rock 'n' roll",)),
        (["Post-Rock", "post rock", "rock"], ("post-rock", "rock")),
        (["Électronique", "electronique"], ("électronique",)),
        (["J-Pop", "J Pop", "k-pop"], ("j-pop", "k-pop")),
    ],
)
def test_a_genre_in_several_spellings_is_one_in_the_spelling_that_came_first(
    written: list[str], kept: tuple[str, ...]
) -> None:
    assert tidy_genres(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["Rock/Pop"], ("rock", "pop")),
        (["Folk; Country"], ("folk", "country")),
        (["  Trip   Hop "], ("trip hop",)),
        (["Folk, World, & Country"], ("folk, world, & country",)),
    ],
)
def test_several_genres_in_one_text_are_several(written: list[str], kept: tuple[str, ...]) -> None:
    assert tidy_genres(written) == kept


@pytest.mark.parametrize("nothing", ["Other", "unknown", "MISC", "Genre", "n/a", "", "--", "Unknown genre"])
def test_a_genre_that_says_nothing_makes_way_for_another_source(nothing: str) -> None:
    facts = {"spotify": {"genres": [nothing]}, "tags": tag_facts(tags(genres=("Shoegaze",)))}
    values, sources = merge(facts, {"genres": ("spotify", "tags")}, own=NOTHING)
    assert (values["genres"], sources["genres"]) == (("shoegaze",), "tags")


def test_no_more_than_a_tidy_genres_is_kept_and_it_is_the_weightiest() -> None:
    voted = ["rock", "indie rock", "Indie-Rock", "pop", "dream pop", "shoegaze", "noise pop", "ambient"]
    assert tidy_genres(voted) == ("rock", "indie rock", "pop", "dream pop", "shoegaze")


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=20))
def test_what_is_kept_is_lower_case_short_and_stays_as_it_is(genres: list[str]) -> None:
    kept = tidy_genres(genres)
    assert len(kept) <= MOST_GENRES
    assert all(genre == genre.lower() and genre.strip() for genre in kept)
    assert set(tidy_genres(kept)) <= set(kept)
