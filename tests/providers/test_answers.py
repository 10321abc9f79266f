"""Answers in our fields, from recorded answers of the services and from hostile documents."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.models import Entity
from soulspot.providers import documents, ids
from soulspot.providers.listenbrainz import answers as lb
from soulspot.providers.musicbrainz import answers as mb
from soulspot.providers.spotify import answers as sp
from tests.providers.payloads import mb_hit, mbid, sp_track, spotify_id
from tests.support.shared_data import shared

FIELDS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "fields.md"
KNOWN = {name for row in re.findall(r"(?m)^\| (`[^|]+)\|", FIELDS.read_text()) for name in re.findall(r"`(\w+)`", row)}
LISTS = {
    "artists",
    "artist_aliases",
    "isrcs",
    "genres",
    "mb_artist_ids",
    "spotify_artist_ids",
    "spotify_track_ids",
}
NUMBERS = {"track_number", "disc_number", "track_count", "duration_ms", "popularity", "score"}


def check(entity: Entity) -> None:
    """Assert of an entity what docs/reference/fields.md promises of every field."""
    assert set(entity.fields) <= KNOWN
    for name, value in entity.fields.items():
        assert value not in (None, "", []), name
        if name in LISTS:
            assert isinstance(value, list)
            assert all(isinstance(item, str) and item for item in value)
        elif name in NUMBERS:
            assert type(value) is int
            assert value >= (0 if name in ("popularity", "score") else 1)
        elif name in ("explicit", "video"):
            assert isinstance(value, bool)
        elif name == "releases":
            assert all(release["id"] and None not in release.values() for release in value)
        else:
            assert isinstance(value, str)
    assert all(ids.parse_isrc(code) == code for code in entity.fields.get("isrcs", ()))
    for name in ("release_date", "original_date"):
        if name in entity.fields:
            assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", entity.fields[name])
    json.dumps(dict(entity.fields)).encode()


# -- recorded


def recorded_searches() -> Iterator[dict[str, Any]]:
    """Yield the recording searches among the recorded answers of MusicBrainz."""
    cassette = json.loads(shared("data", "api", "musicbrainz", "inkstak_recorded", "recording.json").read_text())
    for entry in cassette:
        body = entry["response"]["body"]
        if isinstance(body, str):
            body = json.loads(base64.b64decode(body))
        if entry["response"]["status"] == 200 and "recording" in body:
            yield {"count": body["count"], "recordings": body["recording"]}


def test_recorded_musicbrainz_searches_are_understood() -> None:
    entities = [
        mb.recording(hit) for document in recorded_searches() for hit in mb.search_hits(document, "recordings")[0]
    ]
    assert len(entities) > 20
    for entity in entities:
        assert entity is not None
        check(entity)
        assert entity.fields["title"]
        assert entity.fields["artist"]
        assert 0 <= entity.fields["score"] <= 100
    releases = [release for entity in entities if entity for release in entity.fields.get("releases", ())]
    assert sum("track_number" in release for release in releases) > len(releases) / 2


def test_a_recorded_search_hit_has_its_place_on_every_medium() -> None:
    document = json.loads(shared("data", "api", "musicbrainz", "mb_solr_search", "recording-list.json").read_text())
    (hit,), count = mb.search_hits(document, "recordings")
    entity = mb.recording(hit)
    assert count == 1
    assert entity is not None
    check(entity)
    fields = entity.fields
    assert (fields["artist"], fields["duration_ms"], fields["original_date"]) == (
        "Howard Shore",
        391000,
        "2007-11-05",
    )
    assert "genres" not in fields, "tags are no genres"
    assert "H. Shore" in fields["artist_aliases"]
    places = [(r["disc_number"], r["track_number"], r["track_count"], r["format"]) for r in fields["releases"]]
    assert places == [(1, 1, 15, "CD"), (5, 1, 53, "DVD")]


@pytest.mark.parametrize("name", ["recording.json", "recording_credits.json", "recording_video.json"])
def test_recorded_musicbrainz_lookups_are_understood(name: str) -> None:
    document = json.loads(shared("data", "api", "musicbrainz", "picard_ws_data", name).read_text())
    entity = mb.recording(document)
    assert entity is not None
    check(entity)


def test_expected_musicbrainz_lookups_are_understood() -> None:
    cases = json.loads(
        shared("data", "api", "musicbrainz", "mbserver_ws2_expected", "LookupRecording.json").read_text()
    )
    entities = [mb.recording(case["expected"]) for case in cases]
    for entity in entities:
        assert entity is not None
        check(entity)
    assert any("isrcs" in entity.fields for entity in entities if entity)


def recorded_tracks() -> Iterator[dict[str, Any]]:
    folder = shared("data", "api", "spotify")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and re.search(r"track", path.name):
            try:
                document = json.loads(path.read_text())
            except ValueError:
                continue
            yield from tracks_in(document)


def tracks_in(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if document.get("type") == "track" and "album" in document:
            yield document
        for value in document.values():
            yield from tracks_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from tracks_in(value)
    elif isinstance(document, str) and document.lstrip().startswith("{"):
        try:
            inner = json.loads(document)
        except ValueError:
            return
        yield from tracks_in(inner)


def test_recorded_spotify_tracks_are_understood() -> None:
    entities = [entity for document in recorded_tracks() if (entity := sp.track(document)) is not None]
    assert len(entities) > 50
    for entity in entities:
        check(entity)
        assert entity.fields["title"]
        assert entity.fields["artists"]
        assert entity.fields["spotify_track_id"] == entity.id
    assert any("isrcs" in entity.fields for entity in entities)


def test_recorded_listenbrainz_metadata_is_understood() -> None:
    path = shared("data", "api", "listenbrainz", "server_testdata", "testdata", "mb_metadata_cache_example.json")
    entities = lb.recordings(json.loads(path.read_text()))
    assert entities
    for (entity,) in entities.values():
        check(entity)
    fields = entities["e97f805a-ab48-4c52-855e-07049142113d"][0].fields
    assert (fields["artist"], fields["album"], fields["release_date"]) == ("Portishead", "Dummy", "1994")
    assert fields["genres"] == ["trip hop", "electronic"]
    assert fields["mb_artist_ids"] == ["8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11"]
    assert fields["cover_url"] == (
        "https://coverartarchive.org/release/76df3287-6cda-33eb-8e9a-044b5e15ffdd/829521842-500.jpg"
    )


# -- rules


def test_join_phrases_make_the_credit_and_artists_stay_apart() -> None:
    hit = mb_hit(1)
    hit["artist-credit"] = [
        {
            "name": "A",
            "joinphrase": " feat. ",
            "artist": {"id": mbid(1), "name": "The A", "sort-name": "A, The"},
        },
        {"name": "B", "artist": {"id": mbid(2), "name": "B", "aliases": [{"name": "Bee"}]}},
    ]
    entity = mb.recording(hit)
    assert entity is not None
    assert entity.fields["artist"] == "A feat. B"
    assert entity.fields["artists"] == ["A", "B"]
    assert entity.fields["artist_aliases"] == ["The A", "A, The", "Bee"]
    assert entity.fields["mb_artist_ids"] == [mbid(1), mbid(2)]


def test_genres_count_only_when_more_people_are_for_them_than_against_and_tags_never() -> None:
    tags = [
        {"name": "Rock", "count": 1},
        {"name": "pop", "count": 7},
        {"name": "no", "count": 0},
        {"name": "x"},
    ]
    named = [*tags, {"name": "never", "count": -2}]
    entity = mb.recording({**mb_hit(1), "genres": named, "tags": [{"name": "seen live", "count": 90}]})
    assert entity is not None
    assert entity.fields["genres"] == ["pop", "rock"]


def test_a_printed_number_is_no_position() -> None:
    medium = {"position": 1, "track-count": 9, "track-offset": 3, "track": [{"number": "A4"}]}
    entity = mb.recording({**mb_hit(1), "releases": [{"id": mbid(9), "title": "LP", "media": [medium]}]})
    assert entity is not None
    assert entity.fields["releases"] == [
        {"id": mbid(9), "title": "LP", "disc_number": 1, "track_number": 4, "track_count": 9}
    ]


def track_at(position: int | str, number: int, **more: Any) -> dict[str, Any]:
    """Return a track of a looked-up medium at this position."""
    heard = {"id": mbid(number), "title": f"Title {number}", "length": 200_000}
    return {"id": mbid(1000 + number), "position": position, "number": str(position), "recording": heard, **more}


@pytest.mark.parametrize(
    ("medium", "places"),
    [
        ({"pregap": track_at(0, 1), "tracks": [track_at(1, 2), track_at(2, 3)]}, {1: None, 2: 1, 3: 2}),
        ({"pregap": track_at("0", 1), "tracks": [track_at("1", 2)]}, {1: None, 2: 1}),
        ({"tracks": [track_at(1, 1)], "data-tracks": [track_at(2, 2), track_at(3, 3)]}, {1: 1, 2: 2, 3: 3}),
        ({"pregap": track_at(0, 1), "tracks": [], "data-tracks": [track_at(1, 2)]}, {1: None, 2: 1}),
        ({"data-tracks": [track_at(1, 1)]}, {1: 1}),
        ({"pregap": None, "tracks": [track_at(1, 1)], "data-tracks": None}, {1: 1}),
        ({"pregap": [], "tracks": [track_at(1, 1)], "data-tracks": {}}, {1: 1}),
        ({"pregap": {"position": 0, "recording": {"id": mbid(1)}}, "tracks": [track_at(1, 2)]}, {1: None, 2: 1}),
        ({"tracks": [track_at(0, 1), track_at(1, 2)]}, {1: None, 2: 1}),
        ({"pregap": track_at(0, 1), "tracks": [track_at(1, 1)]}, {1: (None, 1)}),
    ],
)
def test_hidden_and_data_tracks_of_a_release_are_found_at_their_own_places(
    medium: dict[str, Any], places: dict[int, Any]
) -> None:
    document = {
        "id": mbid(500),
        "title": "LP",
        "media": [{"position": 1, "track-count": 2, "track-offset": 0, **medium}],
    }
    found = {entity.id: entity.fields["releases"] for entity in mb.recordings_on(document)}
    assert {key: [entry.get("track_number") for entry in entries] for key, entries in found.items()} == {
        mbid(number): list(place) if isinstance(place, tuple) else [place] for number, place in places.items()
    }
    assert all(entry["disc_number"] == 1 for entries in found.values() for entry in entries)


@pytest.mark.parametrize(
    ("medium", "place"),
    [
        ({"track-offset": 0, "pregap": track_at(0, 1), "track-count": 9}, None),
        ({"track-offset": 9, "data-tracks": [track_at(10, 1)]}, 10),
        ({"track-offset": -1, "track": [{"number": "0"}]}, None),
        ({"track-offset": 0, "track": [{"number": "0"}]}, None),
    ],
)
def test_a_recording_that_is_hidden_or_data_knows_its_place_on_its_releases(
    medium: dict[str, Any], place: int | None
) -> None:
    release = {"id": mbid(9), "title": "LP", "media": [{"position": 1, **medium}]}
    entity = mb.recording({**mb_hit(1), "releases": [release]})
    assert entity is not None
    assert [entry.get("track_number") for entry in entity.fields["releases"]] == [place]


def test_a_length_of_zero_is_unknown_and_a_year_of_zero_is_no_date() -> None:
    entity = sp.track({**sp_track(1, duration_ms=0), "album": {"name": "X", "release_date": "0000"}})
    assert entity is not None
    assert "duration_ms" not in entity.fields
    assert "release_date" not in entity.fields


def test_spotify_links_among_relations_are_kept_once() -> None:
    link = f"https://open.spotify.com/track/{spotify_id(3)}"
    relations = [
        {"url": {"resource": link}},
        {"url": {"resource": link}},
        {"url": {"resource": link}, "ended": True},
    ]
    entity = mb.recording({**mb_hit(1), "relations": relations})
    assert entity is not None
    assert entity.fields["spotify_track_ids"] == [spotify_id(3)]
    for shape in ([{"type": "free streaming", "url": link}], {"streaming": link}, {"streaming": [link]}):
        found = lb.recordings({mbid(1): {"recording": {"name": "S", "url_rels": shape}}})
        assert found[mbid(1)][0].fields["spotify_track_ids"] == [spotify_id(3)]


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("1994-05-00", "1994-05"),
        ("1994-00-00", "1994"),
        ("2007-11-05", "2007-11-05"),
        ("0000", None),
        (1994, None),
    ],
)
def test_dates_are_as_precise_as_they_make_sense(value: Any, date: str | None) -> None:
    assert documents.as_date(value) == date


def test_identifiers_have_one_spelling() -> None:
    assert ids.parse_isrc(" gb-smu-45-66095 ") == "GBSMU4566095"
    assert ids.parse_isrc("GBSMU456609") is None
    assert ids.parse_mbid("E97F805A-AB48-4C52-855E-07049142113D") == "e97f805a-ab48-4c52-855e-07049142113d"
    assert ids.parse_mbid("e97f805aab484c52855e07049142113d") is None
    assert ids.parse_spotify_track_url("https://open.spotify.com/intl-de/track/1zHlj4dQ8ZAtrayhuDDmkY?si=1") is not None
    assert ids.parse_spotify_track_url("https://open.spotify.com/album/1zHlj4dQ8ZAtrayhuDDmkY") is None


# -- hostile

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(mbid(1))
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def spoilt(document: Any, data: st.DataObject) -> Any:
    """Return `document` with some of its values replaced by values of any other type."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(junk)
    if isinstance(document, dict):
        return {key: spoilt(value, data) for key, value in document.items()}
    if isinstance(document, list):
        return [spoilt(value, data) for value in document]
    return document


@given(data=st.data())
def test_a_recording_with_wrong_types_anywhere_gives_right_fields_or_none(data: st.DataObject) -> None:
    medium = {"position": 1, "format": "CD", "track": [{"number": "1", "title": "T"}], "track-offset": 0}
    release = {"id": mbid(2), "title": "R", "release-group": {"id": mbid(3), "secondary-types": ["Live"]}}
    hit = {
        **mb_hit(1, isrcs=("USABC2600001",)),
        "releases": [{**release, "media": [medium]}],
        "tags": [{"count": 1}],
    }
    document = spoilt(hit, data)
    if isinstance(document, dict):
        entity = mb.recording(document)
        mb.titles(document)
        if entity is not None:
            check(entity)


@given(data=st.data())
def test_a_track_with_wrong_types_anywhere_gives_right_fields_or_none(data: st.DataObject) -> None:
    full = sp_track(1, explicit=True, popularity=50, track_number=1)
    full["album"] |= {
        "images": [{"url": "u", "width": 1}],
        "artists": [{"name": "B"}],
        "external_ids": {"upc": "1"},
    }
    document = spoilt(full, data)
    if isinstance(document, dict):
        entity = sp.track(document)
        if entity is not None:
            check(entity)


@given(data=st.data())
def test_listenbrainz_metadata_with_wrong_types_anywhere_gives_right_fields(data: st.DataObject) -> None:
    document = {
        "recording": {"name": "S", "length": 1, "isrcs": ["USABC2600001"], "url_rels": [{"url": "u"}]},
        "artist": {"name": "B", "artists": [{"name": "B", "artist_mbid": mbid(4)}]},
        "release": {"name": "R", "year": 1999, "caa_id": 1, "caa_release_mbid": mbid(5), "mbid": mbid(6)},
        "tag": {"recording": [{"tag": "rock", "count": 1, "genre_mbid": mbid(7)}], "artist": []},
    }
    for (entity,) in lb.recordings({mbid(1): spoilt(document, data)}).values():
        check(entity)
