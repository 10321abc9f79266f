"""Times, tags, rows and provider state come back from the database as they went in."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.models import EnrichedTrack, Identifiers, Status, TrackTags
from soulspot.store import enriched, tags_json
from soulspot.store.database import Database
from soulspot.store.provider_state import ProviderState
from soulspot.store.times import EVER, NEVER, epoch_seconds, iso
from tests.support.factories import NOW

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
COUNT = st.integers(1, 10**9)
IDENTIFIERS = st.builds(
    Identifiers, mb_recording_ids=TEXTS, mb_track_id=st.none() | TEXT, mb_release_id=st.none() | TEXT,
    mb_release_group_id=st.none() | TEXT, mb_artist_ids=TEXTS, isrcs=TEXTS, spotify_track_id=st.none() | TEXT,
    acoustid_id=st.none() | TEXT, malformed=TEXTS,
)  # fmt: skip
TAGS = st.builds(
    TrackTags, title=st.none() | TEXT, artist=st.none() | TEXT, artists=TEXTS, album=st.none() | TEXT,
    album_artist=st.none() | TEXT, track_number=st.none() | COUNT, disc_number=st.none() | COUNT,
    track_total=st.none() | COUNT, disc_total=st.none() | COUNT, duration_ms=st.none() | COUNT,
    date=st.none() | TEXT, genres=TEXTS, compilation=st.booleans(), ids=IDENTIFIERS,
)  # fmt: skip


# --- times ----------------------------------------------------------------------------------------


def test_times_are_utc_with_milliseconds_and_sort_as_they_read() -> None:
    assert iso(NOW + 0.5) == "2023-11-14T22:13:20.500Z"
    assert iso(0) < iso(1) < iso(NOW) < iso(NOW + 0.001) < iso(253_402_300_799) < NEVER


@given(st.floats(0, 253_402_300_799))
def test_a_time_comes_back_never_later_and_at_most_a_millisecond_earlier(moment: float) -> None:
    back = epoch_seconds(iso(moment))
    assert -1e-4 <= moment - back <= 0.0011


@pytest.mark.parametrize("moment", [math.inf, math.nan, 1e18, 253_402_300_800])
def test_a_time_that_no_calendar_has_is_never(moment: float) -> None:
    assert iso(moment) == NEVER
    assert epoch_seconds(NEVER) > NOW


@pytest.mark.parametrize("moment", [-math.inf, -1e18, -62_135_596_801])
def test_a_time_before_all_calendars_is_the_first_there_is(moment: float) -> None:
    assert iso(moment) == EVER == iso(-62_135_596_800)
    assert EVER < iso(-60_000_000_000) < iso(-30_000_000_000) < iso(-1) < iso(0)
    assert epoch_seconds(iso(-60_000_000_000)) == -60_000_000_000


# --- tags -----------------------------------------------------------------------------------------


@given(TAGS)
def test_tags_come_back_as_they_were(known: TrackTags) -> None:
    assert tags_json.decode(tags_json.encode(known)) == known


@given(TAGS)
def test_equal_tags_are_equal_text(known: TrackTags) -> None:
    assert tags_json.encode(tags_json.decode(tags_json.encode(known))) == tags_json.encode(known)


def test_tags_that_say_nothing_take_no_room() -> None:
    assert tags_json.encode(TrackTags()) == "{}"


# --- rows -----------------------------------------------------------------------------------------

FULL = EnrichedTrack(
    1, b"/music/caf\xe9.mp3", "key", Status.ACCEPTED, 0.9876, "Title ☂", "Artist", ("One", "Two"), "Album",
    "Album Artist", 3, 1, 201_000, "DEAB10000001", "2001-05-04", "1999", ("rock", "日本"), "Label", "CAT 1", "0123456789012",
    False, 0, "https://example.org/cover.jpg", "r", "rel", "rg", ("a", "b"), "s", "al", ("x",), {"title": "musicbrainz"},
)  # fmt: skip


def test_a_row_comes_back_as_it_was_written(connection: sqlite3.Connection) -> None:
    assert all(getattr(FULL, field.name) not in (None, ()) for field in fields(FULL))
    bare = EnrichedTrack(2, None, None, Status.PENDING, 0.0)
    enriched.save(connection, [FULL, bare], NOW)
    assert enriched.load(connection, [1, 2, 3]) == {1: FULL, 2: bare}


def test_a_row_is_replaced_as_a_whole(connection: sqlite3.Connection) -> None:
    enriched.save(connection, [FULL], NOW)
    bare = EnrichedTrack(1, b"/music/x.mp3", None, Status.UNMATCHED, 0.1)
    enriched.save(connection, [bare], NOW + 1)
    assert enriched.load(connection, [1]) == {1: bare}
    assert connection.execute("SELECT updated_at FROM enriched_tracks").fetchall() == [(iso(NOW + 1),)]


def test_lists_are_json_arrays_and_paths_are_bytes_for_whoever_reads_the_table(
    connection: sqlite3.Connection,
) -> None:
    enriched.save(connection, [FULL], NOW)
    row = connection.execute("SELECT path, genres, artists, sources, explicit FROM enriched_tracks").fetchone()
    assert row == (b"/music/caf\xe9.mp3", '["rock", "日本"]', '["One", "Two"]', '{"title": "musicbrainz"}', 0)


# --- provider state -------------------------------------------------------------------------------


async def test_what_a_provider_remembers_outlives_the_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("state") / "soulspot.db"
    with Database(path) as database:
        await ProviderState(database).save("gate:spotify:api.spotify.com", {"spent": [1.5, 2], "why": "quota ☂"})
    with Database(path) as database:
        state = ProviderState(database)
        assert await state.load("gate:spotify:api.spotify.com") == {"spent": [1.5, 2], "why": "quota ☂"}
        assert await state.load("gate:spotify:elsewhere") is None


async def test_the_last_word_of_a_provider_counts(database: Database) -> None:
    state = ProviderState(database, now=lambda: NOW)
    await state.save("gate:musicbrainz:host", {"n": 1})
    await state.save("gate:musicbrainz:host", {"n": 2})
    assert await state.load("gate:musicbrainz:host") == {"n": 2}
    rows = await database.read(lambda c: c.execute("SELECT key, provider FROM provider_state").fetchall())
    assert rows == [("gate:musicbrainz:host", "musicbrainz")]


async def test_a_pause_can_be_read_by_people(database: Database) -> None:
    state = ProviderState(database)
    column = "SELECT blocked_until FROM provider_state"
    await state.save("gate:spotify:host", {"pause": {"blocked_until": NOW + 52_531}})
    assert await database.read(lambda c: c.execute(column).fetchone()) == (iso(NOW + 52_531),)
    await state.save("gate:spotify:host", {"pause": {}})
    assert await database.read(lambda c: c.execute(column).fetchone()) == (None,)


def test_a_row_that_is_worked_out_anew_and_comes_out_the_same_was_not_updated(
    connection: sqlite3.Connection,
) -> None:
    row = EnrichedTrack(1, None, "a", Status.ACCEPTED, 0.9, title="Blue Hour", sources={"title": "tags"})
    enriched.save(connection, [row], NOW)
    enriched.save(connection, [row], NOW + 5)
    assert connection.execute("SELECT updated_at FROM enriched_tracks").fetchall() == [(iso(NOW),)]
    enriched.save(connection, [replace(row, title="Blue Hours")], NOW + 9)
    assert connection.execute("SELECT updated_at FROM enriched_tracks").fetchall() == [(iso(NOW + 9),)]
