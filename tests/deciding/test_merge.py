"""Facts of several sources become one row, and every field says where it came from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.deciding.merge import DEFAULT_ORDER, merge, release_facts, tag_facts
from soulspot.models import EnrichedTrack, TrackTags
from tests.support.factories import NOTHING, isrc, mbid, recording, release, spotify_track, tags

MB, LB, SPOTIFY = "musicbrainz", "listenbrainz", "spotify"


def merged(
    facts: dict[str, dict[str, Any]], own: TrackTags = NOTHING, **order: tuple[str, ...]
) -> dict[str, tuple[Any, str]]:
    """(value, source) of every field."""
    values, sources = merge(facts, order, own=own)
    assert values.keys() == sources.keys()
    return {name: (values[name], sources[name]) for name in values}


# --- order ----------------------------------------------------------------------------------------


def test_without_an_order_musicbrainz_goes_before_listenbrainz_before_spotify_before_the_tags() -> None:
    facts = {source: {"title": source} for source in reversed(DEFAULT_ORDER)}
    for source in DEFAULT_ORDER:
        assert merged(facts)["title"] == (source, source)
        del facts[source]


def test_a_field_has_an_order_of_its_own() -> None:
    facts = {MB: {"title": "a", "artist": "a"}, SPOTIFY: {"title": "b", "artist": "b"}}
    found = merged(facts, title=(SPOTIFY, MB))
    assert (found["title"], found["artist"]) == (("b", SPOTIFY), ("a", MB))


def test_the_star_is_the_order_of_every_field_that_has_none() -> None:
    values, sources = merge(
        {MB: {"title": "a", "genres": ["x"]}, SPOTIFY: {"title": "b", "genres": ["y"]}},
        {"*": (SPOTIFY, MB), "genres": (MB,)},
        own=NOTHING,
    )
    assert values == {"title": "b", "genres": ("x",)}
    assert sources == {"title": SPOTIFY, "genres": MB}


def test_a_source_that_an_order_leaves_out_is_not_asked_for_that_field() -> None:
    assert "popularity" not in merged({SPOTIFY: {"popularity": 5}}, popularity=(MB,))


def test_an_order_cannot_take_an_accepted_id_back() -> None:
    facts = {MB: {"mb_recording_id": mbid(1), "title": "x"}, SPOTIFY: {"spotify_track_id": "s"}}
    values, _ = merge(facts, {"*": ("tags",)}, own=NOTHING)
    assert values == {"mb_recording_id": mbid(1), "spotify_track_id": "s"}


@pytest.mark.parametrize("nothing", [None, "", [], ()])
def test_a_source_that_says_nothing_makes_way_for_the_next(nothing: object) -> None:
    assert merged({MB: {"title": nothing}, SPOTIFY: {"title": "b"}})["title"] == ("b", SPOTIFY)


def test_no_and_zero_are_answers() -> None:
    found = merged({MB: {"explicit": False, "popularity": 0}, SPOTIFY: {"explicit": True, "popularity": 9}})
    assert (found["explicit"], found["popularity"]) == ((False, MB), (0, MB))


FIELDS = (
    "title",
    "artist",
    "album",
    "track_number",
    "label",
    "genres",
    "isrcs",
    "mb_recording_id",
    "cover_url",
)


@given(
    st.dictionaries(
        st.sampled_from(DEFAULT_ORDER),
        st.dictionaries(st.sampled_from(FIELDS), st.just(["a"]) | st.just(["b", "c"])),
    )
)
def test_every_value_is_what_its_source_said(facts: dict[str, dict[str, Any]]) -> None:
    values, sources = merge(facts, {}, own=NOTHING)
    assert values.keys() == sources.keys()
    for name, source in sources.items():
        said = facts[source]["isrcs" if name == "isrc" else name]
        assert values[name] == (said[0] if name == "isrc" else tuple(said))


def test_what_is_merged_fits_the_row() -> None:
    facts = {MB: dict(recording(1, isrcs=[isrc(1)], genres=["rock"]).fields) | release_facts(release(1)),
             SPOTIFY: dict(spotify_track(1, barcode="0123", label="L", explicit=True, popularity=5).fields)}  # fmt: skip
    values, _ = merge(facts, {}, own=tags())
    row = EnrichedTrack(1, None, None, "accepted", 1.0, **values)  # type: ignore[arg-type]
    assert (row.isrc, row.barcode, row.genres) == (isrc(1), "0123", ("rock",))


# --- one album ------------------------------------------------------------------------------------


def test_a_source_that_speaks_of_another_album_describes_no_release() -> None:
    facts = {
        MB: {
            "title": "Blue Hour",
            "album": "Greatest Hits",
            "release_date": "2010",
            "mb_release_id": mbid(1),
        },
        SPOTIFY: {"album": "Night Shift", "release_date": "2001-05-04", "barcode": "0123", "cover_url": "s"},
        LB: {"album": "Greatest Hits", "cover_url": "l"},
    }
    found = merged(facts, own=tags())
    assert found["title"] == ("Blue Hour", MB)
    assert found["album"] == ("Night Shift", SPOTIFY)
    assert found["release_date"] == ("2001-05-04", SPOTIFY)
    assert found["cover_url"] == ("s", SPOTIFY)
    assert "mb_release_id" not in found


def test_without_an_album_in_the_tags_all_release_fields_describe_the_album_that_is_named() -> None:
    facts = {
        MB: {"album": "Night Shift", "mb_release_id": mbid(1)},
        LB: {"album": "Night Shift", "release_date": "2001"},
        SPOTIFY: {"album": "Summer Hits 2003", "barcode": "0123", "track_number": 17, "cover_url": "s"},
    }
    found = merged(facts)
    assert found == {
        "album": ("Night Shift", MB), "mb_release_id": (mbid(1), MB), "release_date": ("2001", LB),
    }  # fmt: skip


def test_a_source_that_names_no_album_may_describe_it() -> None:
    assert merged({MB: {"track_number": 3}}, own=tags())["track_number"] == (3, MB)


@pytest.mark.parametrize(
    ("own", "there"),
    [
        ("Night Shift", "NIGHT SHIFT"),
        ("Night Shift", "Night Shift (Deluxe Edition)"),
        ("Night Shift", "Night Shift (Deluxe) [Remastered 2011]"),
        ("Night Shift: Deluxe Edition", "Night Shift"),
        ("Night Shift - 20th Anniversary Edition", "Night Shift"),
        ("Night Shift CD2", "Night Shift"),
        ("Night Shift, Disc 1", "Night Shift"),
        ("Blue Hour - Single", "Blue Hour"),
        ("!!!", "!!!"),
        ("(What's the Story) Morning Glory?", "(What’s the Story) Morning Glory?"),
    ],
)
def test_editions_of_an_album_are_that_album(own: str, there: str) -> None:
    assert merged({SPOTIFY: {"album": there, "barcode": "1"}}, own=tags(album=own))["barcode"] == (
        "1",
        SPOTIFY,
    )


@pytest.mark.parametrize(
    ("own", "there"),
    [
        ("Live", "Live at Leeds"),
        ("1", "1989"),
        ("Greatest Hits", "Greatest Hits II"),
        ("Weezer (Blue Album)", "Weezer (Green Album)"),
        ("!!!", "Louden Up Now"),
        ("Night Shift", "Deluxe"),
    ],
)
def test_albums_whose_names_only_begin_alike_are_two(own: str, there: str) -> None:
    assert "barcode" not in merged({SPOTIFY: {"album": there, "barcode": "1"}}, own=tags(album=own))


def test_the_release_that_the_track_was_found_to_be_on_counts_whatever_the_tags_misspell() -> None:
    facts = {MB: release_facts(release(1))}
    own = tags(album="Nigth Shift")
    assert merge(facts, {}, own=own)[0].get("mb_release_id") is None
    values, _ = merge(facts, {}, own=own, album="Night Shift")
    assert (values["album"], values["mb_release_id"]) == ("Night Shift", release(1)["id"])


def test_a_releases_entry_becomes_the_albums_fields() -> None:
    assert release_facts(release(1)) == {
        "album": "Night Shift", "release_date": "2001-05-04", "mb_release_id": release(1)["id"],
        "mb_release_group_id": release(1)["release_group_id"], "album_artist": "The Lanterns",
        "track_number": 3, "disc_number": 1,
    }  # fmt: skip
    assert release_facts({"id": mbid(1)}) == {"mb_release_id": mbid(1)}


# --- ISRC -----------------------------------------------------------------------------------------


def test_the_librarys_own_isrc_is_preferred_where_a_source_confirms_it() -> None:
    facts = {MB: {"isrcs": [isrc(1), isrc(2)]}}
    assert merged(facts, own=tags(isrcs=[2]))["isrc"] == (isrc(2), MB)


def test_a_confirmation_counts_from_whichever_source_it_comes() -> None:
    facts = {MB: {"isrcs": [isrc(1)]}, SPOTIFY: {"isrcs": [isrc(2)]}}
    assert merged(facts, own=tags(isrcs=[3, 2]))["isrc"] == (isrc(2), SPOTIFY)


def test_an_unconfirmed_isrc_makes_way_for_a_sources_and_stays_where_no_source_has_any() -> None:
    own = tags(isrcs=[3])
    assert merged({MB: {"isrcs": [isrc(1)]}}, own=own)["isrc"] == (isrc(1), MB)
    assert merged({MB: {"isrcs": []}}, own=own)["isrc"] == (isrc(3), "tags")
    assert "isrc" not in merged({MB: {}}, own=tags())


def test_who_trusts_the_tags_first_keeps_the_librarys_isrc() -> None:
    facts = {MB: {"isrcs": [isrc(1)]}}
    assert merged(facts, own=tags(isrcs=[3]), isrc=("tags", MB))["isrc"] == (isrc(3), "tags")


# --- tags -----------------------------------------------------------------------------------------


def test_unconfirmed_ids_of_the_tags_stay_out_of_the_row() -> None:
    own = tags(recording=1, spotify=2)
    values, _ = merge({"tags": tag_facts(own)}, {}, own=own)
    assert not any("_id" in name for name in values)


def test_a_track_of_the_tags_alone_has_what_they_say() -> None:
    own = tags(track_number=3, date="2001", genres=("Rock", "日本"), artists=("A", "B"))
    found = merged({"tags": tag_facts(own)}, own=own)
    assert {source for _, source in found.values()} == {"tags"}
    assert found["genres"][0] == ("rock", "日本")
    assert found["artists"][0] == ("A", "B")
    assert merged({"tags": tag_facts(tags())})["artists"][0] == ("The Lanterns",)


def test_a_more_exact_date_is_taken_from_whoever_agrees_so_far() -> None:
    facts = {
        "listenbrainz": {"album": "Quarry", "release_date": "1992", "original_date": "1991"},
        "spotify": {"album": "Quarry", "release_date": "1992-09-12"},
        "musicbrainz": {"original_date": "1991-03", "album": "Quarry"},
    }
    values, sources = merge(facts, {}, own=NOTHING)
    assert (values["release_date"], sources["release_date"]) == ("1992-09-12", "spotify")
    assert (values["original_date"], sources["original_date"]) == ("1991-03", "musicbrainz")


def test_an_exact_date_of_another_album_or_another_year_is_not_taken() -> None:
    facts = {
        "listenbrainz": {"album": "Quarry", "release_date": "1992"},
        "spotify": {"album": "Quarry Live", "release_date": "1992-09-12"},
        "tags": {"album": "Quarry", "release_date": "1993-01-01"},
    }
    values, sources = merge(facts, {}, own=NOTHING)
    assert (values["release_date"], sources["release_date"]) == ("1992", "listenbrainz")
