"""The libraries of the requests benchmark: the promise of each kind, and the judging."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from benchmarks.libraries.absent import near_misses, strangers
from benchmarks.libraries.judging import Tally, explained, recordings, spotify_tracks
from benchmarks.libraries.kinds import KINDS
from benchmarks.libraries.truth import Labelled, Said, Truth, base_title, hidden_version, title_version
from benchmarks.requests import Measured, document, measure, pooled, table
from soulspot.library.tags import read_file
from soulspot.models import EnrichedTrack, FileStamp, Identifiers, Status
from soulspot.sandbox import (
    Artist,
    Catalogue,
    CreditedName,
    Medium,
    Recording,
    Release,
    Track,
    invent_catalogue,
)
from soulspot.sandbox.library.sample import PlannedFile, write_library
from soulspot.text import fold

COUNT = 400


@cache
def invented() -> Catalogue:
    return invent_catalogue(5, 4000)


@pytest.fixture
def catalogue() -> Catalogue:
    return invented()


@cache
def built(kind: str) -> list[Labelled]:
    return KINDS[kind].build(invented(), COUNT, 1)


# --- the kinds ---


@pytest.mark.parametrize("kind", [name for name in KINDS if "spotify" not in name])
def test_a_library_has_as_many_files_as_asked_for_each_under_a_name_of_its_own(kind: str) -> None:
    files = built(kind)
    assert len(files) == COUNT
    assert len({str(one.file.path).casefold() for one in files}) == COUNT


@pytest.mark.parametrize("kind", ["mixture", "absent"])
def test_the_same_seed_makes_the_same_library_and_another_one_another(catalogue: Catalogue, kind: str) -> None:
    assert KINDS[kind].build(catalogue, COUNT, 1) == built(kind)
    assert KINDS[kind].build(catalogue, COUNT, 2) != built(kind)


@pytest.mark.parametrize("kind", ["isrc", "albums", "loose"])
def test_libraries_of_text_and_isrcs_carry_no_musicbrainz_or_spotify_id(kind: str) -> None:
    for one in built(kind):
        assert replace(one.file.tags.ids, isrcs=()) == Identifiers()
        assert bool(one.file.tags.ids.isrcs) is (kind == "isrc")


def test_right_ids_are_those_of_the_recording_or_were_merged_into_it(catalogue: Catalogue) -> None:
    merged = 0
    for one in built("ids"):
        (mbid,) = one.file.tags.ids.mb_recording_ids
        assert catalogue.recording(mbid) == one.recording
        assert one.findable
        merged += mbid in catalogue.merged
    assert merged


def test_six_in_a_hundred_ids_are_wrong_in_several_ways_and_never_right_by_chance(
    catalogue: Catalogue,
) -> None:
    files = KINDS["wrong-ids"].build(catalogue, 1200, 1)
    ways = Counter(trait for one in files for trait in one.traits if trait.startswith("id of") and one.recording)
    wrong = [one for one in files if catalogue.recording(one.file.tags.ids.mb_recording_ids[0]) != one.recording]
    assert set(ways) == {"id of another version", "id of a neighbour", "id of another song", "id of nothing"}
    assert len(wrong) == ways.total()
    assert 0.04 < len(wrong) / len(files) < 0.085


def test_musicbrainz_does_not_know_about_a_third_of_the_isrcs(catalogue: Catalogue) -> None:
    files = built("isrc")
    codes = [[code.replace("-", "").upper() for code in one.file.tags.ids.isrcs] for one in files]
    unknown = [listed for listed in codes if not any(catalogue.recordings_with_isrc(code) for code in listed)]
    assert 0.25 < len(unknown) / len(files) < 0.42


@pytest.mark.parametrize("kind", ["albums", "loose"])
def test_untidy_libraries_have_every_kind_of_disorder(catalogue: Catalogue, kind: str) -> None:
    files = KINDS[kind].build(catalogue, 1000, 1)
    traits = {trait for one in files for trait in one.traits}
    assert traits >= {
        "other script", "suffix", "guest", "slip", "artist in title", "number in title", "no length", "5 s off",
    }  # fmt: skip
    assert len({one.file.path.suffix for one in files}) == 5
    assert any(one.file.tags.title and one.file.tags.title.isupper() for one in files)
    assert any(one.file.tags.album_artist is None for one in files)


def test_loose_files_mostly_name_no_album_and_their_folders_are_of_no_help() -> None:
    files = built("loose")
    assert sum(one.file.tags.album is None for one in files) > COUNT / 2
    for one in files:
        assert one.recording
        folders = fold(str(one.file.path.parent))
        assert fold(one.recording.artist) not in folders
    sizes = Counter(one.file.path.parent for one in files)
    assert 2 < COUNT / len(sizes) < 8


def test_albums_come_whole_for_the_most_part() -> None:
    by_folder: dict[PurePosixPath, list[Labelled]] = {}
    for one in built("albums"):
        root = one.file.path.parent
        by_folder.setdefault(root.parent if root.name.startswith("CD") else root, []).append(one)
    assert sum(len(files) >= 4 for files in by_folder.values()) > 0.8 * len(by_folder)


@pytest.mark.parametrize("kind", ["albums", "loose"])
def test_lengths_are_two_seconds_off_at_most_unless_the_file_is_said_to_be_odd(kind: str) -> None:
    for one in built(kind):
        heard, true = one.file.tags.duration_ms, one.recording.duration_ms if one.recording else None
        if heard is None:
            assert "no length" in one.traits
        elif true is not None and "5 s off" in one.traits:
            assert 4000 <= abs(heard - true) <= 5500
        elif true is not None:
            assert abs(heard - true) <= 2000


def test_files_say_what_was_planned_when_they_are_read_even_that_their_length_is_unknown(
    tmp_path: Path,
) -> None:
    files = [one for one in built("loose") if one.file.tags.title][:80]
    files += [one for one in built("loose") if "no length" in one.traits]
    written = write_library({one.file.path: one.file for one in files}.values(), tmp_path, header_only=True)
    planned = {tmp_path / one.file.path: one.file.tags for one in files}
    for file in written:
        tags = read_file(bytes(file.path), FileStamp(0, 0, 0)).tags
        assert tags is not None
        wanted = planned[file.path]
        assert (tags.title, tags.artist, tags.album) == (wanted.title, wanted.artist, wanted.album)
        if wanted.duration_ms is None:
            assert tags.duration_ms is None
        else:
            assert tags.duration_ms is not None
            assert abs(tags.duration_ms - wanted.duration_ms) <= 2


def test_strangers_share_no_song_with_the_catalogue(catalogue: Catalogue) -> None:
    here = {(base_title(one.title), fold(part.name)) for one in catalogue.recordings for part in one.credit}
    for one in strangers(catalogue, 200, 1):
        assert one.recording is None
        assert (base_title(one.file.tags.title or ""), fold(one.file.tags.artist or "")) not in here


def test_near_misses_are_of_a_version_an_artist_or_a_length_that_the_catalogue_does_not_have(
    catalogue: Catalogue,
) -> None:
    truth, seen = Truth(catalogue), Counter[str]()
    for one in near_misses(catalogue, 300, 1):
        tags = one.file.tags
        seen[one.traits[0]] += 1
        same = truth.namesakes(tags.title or "", tags.artist or "")
        said = title_version(tags.title or "")
        if one.traits[0] == "cover":
            assert same == []
        elif one.traits[0] == "other length":
            assert tags.duration_ms
            assert all(r.duration_ms and abs(r.duration_ms - tags.duration_ms) >= 15_000 for r in same)
        elif said:
            assert all(title_version(r.title) | hidden_version(r) != said for r in same)
    assert seen.keys() >= {"live", "remix", "karaoke", "cover", "other length", "instrumental"}


# --- what a file says, and whom it fits ---

ACT = Artist("a" * 36, None, "The Wolves", "Wolves, The")


def song(mbid: str, length: int | None, title: str = "Home", comment: str = "") -> Recording:
    credit = (CreditedName(ACT, ACT.name),)
    return Recording(mbid, title, credit, length, disambiguation=comment, spotify_ids=(f"sp-{mbid}",))


def of(*songs: Recording, album: str = "Den") -> Catalogue:
    tracks = tuple(Track(f"t{n}", n, str(n), one.title, one.duration_ms, one.mbid) for n, one in enumerate(songs, 1))
    release = Release("r", "g", album, songs[0].credit, "2001", "Album", (), (Medium(1, "CD", tracks),))
    return Catalogue([ACT], [release], songs, [], [])


@pytest.mark.parametrize(
    ("title", "base", "version"),
    [
        ("Home", "home", set()),
        ("Home (feat. Mara)", "home", set()),
        ("Home (feat. Mara) (acoustic)", "home", {"acoustic"}),
        ("Home (karaoke version)", "home", {"karaoke"}),
        ("Home (in the style of X)", "home", {"karaoke"}),
        ("Home (Novak remix)", "home", {"novak remix"}),
        ("Home (2008 Re-Recording)", "home", {"rerecording"}),
        ("(untold)", "untold", set()),
    ],
)
def test_a_title_is_parted_into_a_name_and_versions(title: str, base: str, version: set[str]) -> None:
    assert base_title(title) == base
    assert title_version(title) == version


def test_recordings_of_one_name_and_version_within_a_second_are_alike() -> None:
    true, twin = song("a", 200_000), song("b", 200_900)
    assert Truth(of(true, twin)).judge(true, Said(duration_ms=200_100)) == (frozenset("b"), True)


def test_a_file_without_length_does_not_tell_two_recordings_of_one_name_apart() -> None:
    true, other = song("a", 200_000), song("b", 260_000)
    judged = Truth(of(true, other))
    assert judged.judge(true, Said()) == (frozenset(), False)
    assert judged.judge(true, Said(duration_ms=201_000)) == (frozenset(), True)
    assert judged.judge(true, Said(sure=True)) == (frozenset(), True)


def test_lengths_that_fit_two_recordings_nearly_alike_tell_neither() -> None:
    true, other = song("a", 200_000), song("b", 202_500)
    assert Truth(of(true, other)).judge(true, Said(duration_ms=200_800)) == (frozenset(), False)


def test_recordings_without_any_length_are_told_apart_by_version_and_album_alone() -> None:
    true, live, other = song("a", None), song("b", None, comment="live, 1999: Oslo"), song("c", None)
    assert Truth(of(true, live)).judge(true, Said(duration_ms=200_000)) == (frozenset(), True)
    assert Truth(of(true, other)).judge(true, Said(duration_ms=200_000)) == (frozenset(), False)
    on_albums = of(true, album="Den")
    elsewhere = Catalogue([ACT], on_albums.releases, [true, other], [], [])
    assert Truth(elsewhere).judge(true, Said(album="Den", duration_ms=200_000)) == (frozenset(), True)


def test_a_plain_title_means_the_studio_recording_but_a_live_one_that_does_not_say_so_needs_its_length() -> None:
    studio, live = song("a", 200_000), song("b", 200_200, comment="live, 1999: Oslo")
    judged = Truth(of(studio, live))
    assert judged.judge(studio, Said(duration_ms=200_000)) == (frozenset(), True)
    assert judged.judge(live, Said(frozenset({"live"}), "Oslo", None, 200_000)) == (frozenset(), True)
    assert judged.judge(live, Said(duration_ms=200_000)) == (frozenset("a"), True)


def test_live_takes_of_two_places_are_told_apart_where_the_file_names_the_place() -> None:
    oslo = song("a", None, comment="live, 1999: Oslo")
    ghent = song("b", None, comment="live, 2001: Ghent")
    judged, live = Truth(of(oslo, ghent)), frozenset({"live"})
    assert judged.judge(oslo, Said(live, duration_ms=1000)) == (frozenset(), False)
    assert judged.judge(oslo, Said(live, "Oslo", duration_ms=1000)) == (frozenset(), True)


# --- judging ---


def row(recording: str | None = None, track: str | None = None) -> EnrichedTrack:
    status = Status.ACCEPTED if recording or track else Status.UNMATCHED
    return EnrichedTrack(1, b"x", None, status, 1.0, mb_recording_id=recording, spotify_track_id=track)


def label(recording: Recording | None, *twins: str, findable: bool = True) -> Labelled:
    return Labelled(PlannedFile(PurePosixPath("x.mp3"), "", ""), recording, frozenset(twins), findable)


def test_the_true_recording_is_right_its_merged_id_too_and_one_like_it_counts_as_right() -> None:
    true, twin, other = song("a", 1), song("b", 2), song("c", 3)
    catalogue = of(replace(true, merged_mbids=("old",)), twin, other)
    rows = [(label(true, "b"), row(mbid), ()) for mbid in ("a", "old", "b", "c", None)]
    findings = list(recordings(catalogue, rows))
    assert [one.result for one in findings] == ["right", "right", "twin", "wrong", "missed"]
    tally = Tally.of(findings)
    assert (tally.precision, tally.recall) == (0.75, 0.6)


def test_what_cannot_be_found_lowers_precision_when_it_is_guessed_but_never_recall() -> None:
    true, other = song("a", 1), song("b", 2)
    unfindable = label(true, findable=False)
    rows = [(label(true), row("a"), ()), (unfindable, row("b"), ()), (unfindable, row(), ())]
    findings = list(recordings(of(true, other), rows))
    assert [one.result for one in findings] == ["right", "wrong", "open"]
    assert (Tally.of(findings).precision, Tally.of(findings).recall) == (0.5, 1.0)


def test_whatever_is_accepted_for_an_absent_recording_is_wrong() -> None:
    absent = label(None, findable=False)
    catalogue = of(song("a", 1))
    rows = [(absent, row("a"), ()), (absent, row(None, "sp-a"), ()), (absent, row(), ())]
    assert [one.result for one in recordings(catalogue, rows)] == ["wrong", "wrong", "open"]


def test_every_living_spotify_track_of_the_recording_is_right() -> None:
    true, twin = replace(song("a", 1), spotify_ids=("s1", "s2")), song("b", 2)
    rows = [(label(true, "b"), row("a", track), ()) for track in ("s2", "sp-b", "dead", None)]
    results = [one.result for one in spotify_tracks(of(true, twin), rows)]
    assert results == ["right", "twin", "wrong", "missed"]
    lonely = replace(true, spotify_ids=())
    assert [one.result for one in spotify_tracks(of(lonely), [(label(lonely), row("a"), ())])] == ["open"]


def test_what_went_wrong_is_counted_by_trait_and_shown_with_its_reasons() -> None:
    true, other = song("a", 1), song("b", 2)
    odd = replace(label(true), traits=("slip",))
    findings = list(recordings(of(true, other), [(odd, row("b"), ("0.9 accepted b: near enough",))]))
    told = "\n".join(explained([of(true, other)], findings, 5))
    assert "wrong: 1 (1 accepted)" in told
    assert "slip: 1 of 1" in told
    assert "near enough" in told


async def test_a_library_is_measured_from_files_to_judgement(catalogue: Catalogue, tmp_path: Path) -> None:
    measured = await measure("ids", catalogue, tmp_path, count=40, seed=1, limits=False, mode=None)
    assert len(measured.recordings) == 40
    assert Tally.of(measured.recordings).precision == 1.0
    assert measured.requests["LB"] > 0
    assert measured.requests["Spotify"] == 0
    assert measured.total == 1000 * measured.requests.total() / 40


def test_the_table_says_the_aim_beside_each_number_and_what_spotify_costs_beyond_the_rest() -> None:
    true = song("a", 1)
    findings = list(recordings(of(true), [(label(true), row("a", "sp-a"), ())]))
    plain = Measured("mixture", None, Counter({"LB": 1}), recordings=findings)
    more = Measured("spotify", "extended", Counter({"LB": 1, "Spotify": 2}), recordings=findings)
    more.spotify = list(spotify_tracks(of(true), [(label(true), row("a", "sp-a"), ())]))
    both = {"mixture": plain, "spotify": pooled([more, more])}
    lines = list(table(both))
    assert any("2000.0 more (80)" in line for line in lines)
    assert any("1.0000 (0.995)" in line and "1.0000 (0.92)" in line for line in lines)
    assert len({line.count("|") for line in lines}) == 1
    assert document(both)["spotify"]["spotify"]["precision"] == 1.0
