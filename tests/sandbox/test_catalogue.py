"""Catalogues are the same every time, consistent, and awkward where the real data are."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from soulspot.sandbox import catalogue_from_csv, invent_catalogue
from tests.sandbox.calls import catalogue
from tests.support.shared_data import shared

_CASES = (
    "artist_homonym artist_other_script blank_title crowd dead_link featured featured_in_title four_seconds "
    "isrc_unknown merged musicbrainz_only ninety_minutes no_length popular remaster shared_isrc single_version "
    "spotify_odd_isrc spotify_only two_isrcs version video"
)


def test_the_same_seed_and_size_give_the_same_catalogue() -> None:
    one, two, other = invent_catalogue(3, 200), invent_catalogue(3, 200), invent_catalogue(4, 200)
    assert one == two
    assert {r.mbid for r in one.recordings}.isdisjoint(r.mbid for r in other.recordings)


@pytest.mark.parametrize("tracks", [1, 2, 10, 99, 137])
def test_any_size_is_possible_and_counts_ordinary_recordings(tracks: int) -> None:
    made = invent_catalogue(1, tracks)
    assert len(made.recordings) - len(made.cases.get("crowd", ())) == tracks


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one track"):
        invent_catalogue(1, 0)


def test_every_awkward_case_is_in_a_catalogue_of_a_few_hundred_tracks() -> None:
    missing = [name for name in _CASES.split() if not catalogue().cases.get(name)]
    assert missing == []


def test_everything_that_is_referred_to_exists_and_ids_are_unique_and_well_formed() -> None:
    made = catalogue()
    mbids = [r.mbid for r in made.recordings] + list(made.merged) + [r.mbid for r in made.releases]
    mbids += [artist.mbid for artist in made.artists]
    assert len(mbids) == len(set(mbids))
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    assert all(uuid.fullmatch(mbid) for mbid in mbids)
    spotify = [track.id for track in made.spotify_tracks]
    assert len(spotify) == len(set(spotify))
    assert all(re.fullmatch(r"[0-9A-Za-z]{22}", each) for each in spotify)
    assert all(re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", isrc) for r in made.recordings for isrc in r.isrcs)
    for release in made.releases:
        assert all(made.recording(track.recording_mbid) for track in release.tracks)
        if release.spotify_id:
            assert made.spotify_albums_by_id[release.spotify_id].release_mbid == release.mbid
    for track in made.spotify_tracks:
        assert track.id in made.spotify_albums_by_id[track.album_id].track_ids
    for recording in made.recordings:
        assert all(made.recording_of_spotify_track(each) is recording for each in recording.spotify_ids)
        assert all(made.spotify_track(each) is None for each in recording.dead_ids)


def test_the_cases_are_what_their_names_say() -> None:
    made = catalogue()

    def of(name: str) -> list:
        return [made.recording(mbid) for mbid in made.cases[name]]

    assert all(r.duration_ms is None for r in of("no_length"))
    assert all(len(r.isrcs) == 2 for r in of("two_isrcs"))
    assert all(any(len(made.recordings_with_isrc(isrc)) > 1 for isrc in r.isrcs) for r in of("shared_isrc"))
    assert all(r.merged_mbids for r in of("merged"))
    assert all(made.recording(old) is r for r in of("merged") for old in r.merged_mbids)
    assert all(not r.spotify_ids for r in of("musicbrainz_only"))
    assert all(len(r.credit) == 2 for r in of("featured"))
    assert {r.duration_ms for r in of("four_seconds")} <= {4000, None}
    assert all(made.spotify_track(each).recording_mbid is None for each in made.cases["spotify_only"])
    odd = [made.spotify_track(each).isrc for each in made.cases["spotify_odd_isrc"]]
    assert all(isrc != isrc.upper() or "-" in isrc for isrc in odd)
    names = [made.artist(mbid).name for mbid in made.cases["artist_homonym"]]
    assert len(set(names)) < len(names)
    assert any(r.credit[0].name != r.artist for r in made.recordings)
    assert any(len(r.spotify_ids) > 1 for r in made.recordings)
    assert any(len(release.media) > 1 for release in made.releases)


def test_a_popular_title_has_more_than_a_hundred_recordings() -> None:
    made = catalogue()
    original = made.recording(made.cases["popular"][0])
    same = [r for r in made.recordings if r.title.split(" (")[0] == original.title]
    assert len(same) > 100
    assert {"live", "karaoke", "remix", "instrumental"} <= {
        word for r in same for word in re.findall(r"\w+", f"{r.title} {r.disambiguation}".lower())
    }


def test_names_in_other_scripts_have_a_latin_alias() -> None:
    made = catalogue()
    foreign = [made.artist(mbid) for mbid in made.cases["artist_other_script"]]
    assert all(alias.isascii() for artist in foreign for alias in artist.aliases)
    assert sum(not artist.name.isascii() for artist in foreign) == len(foreign)


def _row_file(path: Path, text: str) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)
    return path


def test_rows_of_a_csv_keep_their_ids_names_and_lengths(tmp_path: Path) -> None:
    header = "track_id,track_name,track_artist,track_album_id,track_album_name,track_album_release_date,duration_ms"
    one, two, album = "1" * 22, "2" * 22, "3" * 22
    rows = f"{header}\n{one},Für Ana (feat. Bo) - 2011 Remaster,Ana,{album},Alb,1999-05-01,200000\n"
    rows += f"{one},repeat,Ana,{album},Alb,1999-05-01,200000\nbad id,x,y,{album},Alb,1999,1\n"
    rows += f"{two},Zwei,Ana,{album},Alb,1999-05-01,100000\n"
    made = catalogue_from_csv(_row_file(tmp_path / "rows.csv.gz", rows))
    assert [(t.id, t.title, t.duration_ms) for t in made.spotify_tracks] == [
        (one, "Für Ana (feat. Bo) - 2011 Remaster", 200000),
        (two, "Zwei", 100000),
    ]
    assert made.spotify_album(album).date == "1999-05-01"
    assert made.recording_of_spotify_track(one).title == "Für Ana"
    assert len(catalogue_from_csv(tmp_path / "rows.csv.gz", limit=1).spotify_tracks) == 1


def test_a_csv_without_the_columns_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="track_id"):
        catalogue_from_csv(_row_file(tmp_path / "rows.csv.gz", "a,b\n1,2\n"))


@pytest.mark.parametrize("name", ["spotify_songs_32833.csv.gz", "playlist_archive_tgz.csv.gz"])
def test_real_spotify_ids_can_be_served(name: str) -> None:
    path = shared("data", "catalogue", name)
    made = catalogue_from_csv(path, limit=1000)
    assert len({t.id for t in made.spotify_tracks}) == 1000
    assert made == catalogue_from_csv(path, limit=1000)
    known = sum(made.recording_of_spotify_track(t.id) is not None for t in made.spotify_tracks)
    assert 800 < known < 1000
    assert made.cases["merged"]
