"""Many releases at once: grouping, reports, and progress after failures."""

from __future__ import annotations

import asyncio
import errno
import math
import shutil
import socket
from datetime import datetime

import pandas
import polars
import pytest

import soulspot
from soulspot import build_ern_batch
from soulspot.errors import ConfigError, ReleaseRefused, SchemaError
from soulspot.export.ddex import job
from soulspot.export.ddex.ern import Run, build_releases
from soulspot.export.ddex.grouping import gather_records, grouping_key, release_key
from soulspot.export.ddex.settings import ErnSettings
from soulspot.imports.files import ImportFile
from soulspot.models import EnrichedTrack, Status
from tests.export.ern import CREATED, PARTIES, Deadly, album, built, faults, song
from tests.support.shared_data import shared


def releases(count: int, tracks: int = 2) -> list[dict]:
    return [one for n in range(count) for one in album(tracks, mb_release_id=f"release {n:03d}")]


def keys(batch) -> list[str]:
    return [success.release_key for success in batch.successes]


def test_it_is_one_of_the_public_names():
    assert "build_ern_batch" in soulspot.__all__


def test_a_batch_unpacks_as_successes_and_errors():
    successes, errors = built(releases(3))
    assert [one.tracks for one in successes] == [2, 2, 2]
    assert errors == []


@pytest.mark.parametrize(
    ("cells", "key"),
    [
        ({"mb_release_id": "ABC", "barcode": "1"}, "mbid:abc"),
        ({"barcode": "094631432057"}, "barcode:00094631432057"),
        ({"barcode": 94631432057}, "barcode:00094631432057"),
        ({"label": "L.", "catalog_number": "HR-1", "album": "A"}, "catalog:l/hr 1"),
        ({"album_artist": "Björk", "album": "Début!"}, "album:bjork/debut"),
        ({"artist": "B", "album": "A"}, "album:b/a"),
        ({"album": "???"}, "album:/???"),
        ({"title": "alone"}, ""),
    ],
)
def test_records_are_one_release_by_the_best_that_names_it(cells, key):
    assert release_key(cells) == key


def test_records_are_grouped_by_a_column_by_several_or_by_what_a_callable_says():
    records = [song(1, album="A", disc_number=1), song(2, album="A", disc_number=2), song(3, album="B")]
    assert keys(built(records, group_by="album")) == ["A", "B"]
    assert keys(built(records, group_by=["album", "disc_number"])) == ["A / 1", "A / 2", "B / 1"]
    assert keys(built(records, group_by=lambda one: one["album"].lower())) == ["a", "b"]
    with pytest.raises(ValueError, match="a column, several columns or a callable"):
        grouping_key([])


def test_records_that_name_no_release_are_one_error_and_nothing_else_suffers():
    batch = built([song(1), *[{"title": f"Stray {n}", "artist": "X"} for n in range(40)]])
    assert len(batch.successes) == 1
    assert [(error.field, error.words.partition(":")[0]) for error in batch.errors] == [
        ("group_by", "40 records name no release")
    ]


def test_a_heap_of_records_is_not_taken_for_one_release():
    assert "too many for one release" in faults([song(n) for n in range(1, 2_005)])["group_by"]


def test_a_release_that_lacks_something_is_reported_with_every_field_and_stops_nothing():
    records = releases(5)
    records[4] |= {"isrc": None, "duration_ms": None, "artist": "", "album": None}
    records[5] |= {"title": float("nan"), "album": None, "label": None}
    records[4]["label"] = None
    batch = built(records)
    assert keys(batch) == [f"mbid:release {n:03d}" for n in (0, 1, 3, 4)]
    assert batch.failed == 1
    assert {error.field for error in batch.errors} == {
        "isrc", "duration_ms", "artist", "album", "title", "label",
    }  # fmt: skip
    assert {error.release_key for error in batch.errors} == {"mbid:release 002"}
    assert not any(error.retryable for error in batch.errors)
    assert "track 1 'Song 1' has no ISRC" in {error.words for error in batch.errors}


@pytest.mark.parametrize(
    ("cells", "field"),
    [({"isrc": "GB-12"}, "isrc"), ({"duration_ms": "3:20"}, "duration_ms"), ({"duration_ms": 10**13}, "duration_ms"),
     ({"duration_ms": math.inf}, "duration_ms"), ({"track_number": "A1"}, "track_number"),
     ({"release_date": "2001-02-31"}, "release_date"), ({"release_date": "last May"}, "release_date"),
     ({"explicit": "maybe"}, "explicit"), ({"release_type": "Mix Tape!"}, "release_type")],
)  # fmt: skip
def test_a_value_that_cannot_be_meant_is_reported_with_its_field(cells, field):
    assert list(faults([song(1, **cells)])) == [field]


def test_frames_of_pandas_polars_and_arrow_are_taken_like_mappings():
    records = releases(3)
    plain = [one.message for one in built(records).successes]
    sparse = pandas.DataFrame([{**one, "explicit": None} for one in records])
    sparse["release_date"] = pandas.to_datetime(sparse["release_date"])
    frame = polars.DataFrame(records)
    for frame_like in (sparse, frame, frame.lazy(), frame.to_arrow()):
        assert [one.message for one in built(frame_like).successes] == plain


def test_what_pandas_makes_of_gaps_is_a_gap():
    frame = pandas.DataFrame([song(1), song(2, track_number=None, barcode=None, catalog_number=None)])
    frame["explicit"] = pandas.array([True, None], dtype="boolean")
    batch = built(frame, group_by="album")
    assert [one.tracks for one in batch.successes] == [2]


def test_rows_of_the_library_can_be_handed_over_as_they_are():
    cells = song(1) | {"genres": ("rock",), "artists": ()}
    row = EnrichedTrack(1, None, None, Status.ACCEPTED, 1.0, **cells)
    assert len(built([row]).successes) == 1


@pytest.mark.parametrize("records", ["title", {"title": "x"}, 5, [1], ["title"]])
def test_what_is_no_record_is_refused_with_words(records):
    with pytest.raises(TypeError, match="should be"):
        built(records)


def test_sorted_records_are_taken_one_release_at_a_time():
    held, most = 0, 0

    def stream():
        nonlocal held
        for one in releases(200, tracks=1):
            held += 1
            yield one

    def after(result):
        nonlocal held, most
        most = max(most, held)
        held -= result.total_items

    batch = built(stream(), presorted=True, batch_size=10, on_batch_complete=after)
    assert len(batch.successes) == 200
    assert most <= 31


@pytest.mark.parametrize("frame", [pandas.DataFrame, polars.DataFrame, polars.LazyFrame])
def test_a_frame_without_the_column_to_group_by_is_refused_with_its_name(frame):
    with pytest.raises(ValueError, match=r"no column 'release_id' to group by; there are .*album"):
        built(frame([song(1)]), group_by=["album", "release_id"])


def test_it_ends_early_after_as_many_failures_as_are_allowed():
    batch = built([song(1, isrc=None, mb_release_id=str(n)) for n in range(100)], max_failures=3, batch_size=2)
    assert batch.stopped
    assert batch.failed == 3
    whole = built(releases(3), max_failures=1)
    assert not whole.stopped


@pytest.mark.parametrize(("processes", "allowed"), [(1, 1), (1, 4), (2, 5)])
def test_never_do_more_fail_than_are_allowed_though_batches_are_larger(processes: int, allowed: int):
    good, bad = releases(8), [song(1, isrc=None, mb_release_id=f"bad {n}") for n in range(40)]
    batch = built(good + bad, max_failures=allowed, processes=processes)
    assert batch.stopped
    assert (len(batch.successes), batch.failed) == (8, allowed)


def test_several_processes_give_the_same_messages_in_the_same_order():
    records = releases(12)
    one, several = (built(records, processes=n, batch_size=3) for n in (1, 2))
    assert [m.message for m in one.successes] == [m.message for m in several.successes]


def test_a_worker_that_dies_is_replaced_and_its_batch_built_again(tmp_path):
    records = releases(8)
    records[5]["genres"] = Deadly(str(tmp_path / "once"))
    batch = built(records, processes=2, batch_size=2)
    assert not batch.errors
    assert len(batch.successes) == 8


def test_a_release_that_kills_its_worker_each_time_fails_alone_and_may_be_tried_again():
    records = releases(3, tracks=1)
    records[1]["genres"] = Deadly()
    batch = built(records, processes=2, batch_size=2, retries=0)
    assert [(error.release_key, error.field, error.retryable) for error in batch.errors] == [
        ("mbid:release 001", "worker", True)
    ]
    assert len(batch.successes) == 2


async def test_it_works_within_a_running_loop_as_notebooks_have_one():
    assert len(built(releases(2)).successes) == 2
    assert asyncio.get_running_loop().is_running()


def test_without_sender_and_recipient_nothing_is_begun_and_the_keys_are_named(monkeypatch, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text("")
    monkeypatch.setenv("SOULSPOT_CONFIG", str(config))
    with pytest.raises(ConfigError, match=r"export.ddex.sender is not set[^$]*export.ddex.recipient is not set"):
        build_ern_batch(album())
    with pytest.raises(ConfigError, match="should be a DDEX party id"):
        build_ern_batch(album(), sender="me", recipient="PADPIDA1")


def test_sender_recipient_and_schema_come_from_the_configuration(monkeypatch, tmp_path):
    config = tmp_path / "config.toml"
    lines = [f'sender = "{PARTIES["sender"]}"', f'recipient = "{PARTIES["recipient"]}"', 'label = "Ours"',
             f'schema = "{shared("data", "ddex")}"']  # fmt: skip
    config.write_text("[export.ddex]\n" + "\n".join(lines))
    monkeypatch.setenv("SOULSPOT_CONFIG", str(config))
    batch = build_ern_batch(album(label=None), validate=True)
    assert PARTIES["sender"] in batch.successes[0].message.decode()
    assert "Ours" in batch.successes[0].message.decode()


def test_wrong_arguments_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SOULSPOT_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    for more in ({"batch_size": 0}, {"processes": 0}, {"max_failures": 0}):
        with pytest.raises(ValueError, match="must be a whole number from 1 on"):
            built(album(), **more)
    with pytest.raises(TypeError, match="unknown settings: sendr"):
        built(album(), sendr="x")
    with pytest.raises(ValueError, match="validate needs the schema"):
        built(album(), validate=True)
    with pytest.raises(ValueError, match="time zone"):
        built(album(), created_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_terms_that_the_schema_does_not_know_are_said_once_before_anything_is_built():
    with pytest.raises(ConfigError, match="UseType: the schema refuses it"):
        built(releases(3), validate=shared("data", "ddex"), deals=[{"use_types": ["Streeming"]}])


def test_the_schema_may_be_the_file_a_folder_or_lie_flat_beside_its_value_sets(tmp_path):
    official = shared("data", "ddex")
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(official / "ern43" / "release-notification.xsd", flat)
    shutil.copy(official / "allowed-value-sets.xsd", flat)
    for place in (official, official / "ern43", official / "ern43" / "release-notification.xsd", flat):
        assert not built(album(), validate=place).errors


def test_a_schema_that_is_absent_of_another_version_or_lacks_its_value_sets_is_said(tmp_path):
    official = shared("data", "ddex")
    alone = tmp_path / "alone" / "alone"
    alone.mkdir(parents=True)
    shutil.copy(official / "ern43" / "release-notification.xsd", alone)
    (tmp_path / "bad.xsd").write_text("<nothing")
    for place, words in (
        (tmp_path / "none", "there is no such file"),
        (tmp_path / "bad.xsd", "holds no schema of"),
        (official / "ern432", "export.ddex.version says which is written"),
        (alone, "allowed-value-sets.xsd"),
    ):
        with pytest.raises(SchemaError, match=words):
            built(album(), validate=place)


def test_nothing_is_fetched_from_the_network_for_a_schema(tmp_path):
    official = shared("data", "ddex")
    text = (official / "ern43" / "release-notification.xsd").read_text()
    with socket.create_server(("127.0.0.1", 0)) as server:
        remote = f"http://127.0.0.1:{server.getsockname()[1]}/avs/allowed-value-sets.xsd"
        (tmp_path / "release-notification.xsd").write_text(text.replace("../allowed-value-sets.xsd", remote))
        with pytest.raises(SchemaError, match="the value sets that it imports have to lie"):
            built(album(), validate=tmp_path)
        shutil.copy(official / "allowed-value-sets.xsd", tmp_path)
        assert not built(album(), validate=tmp_path).errors
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_disk_that_is_full_for_a_moment_costs_no_release(monkeypatch, tmp_path):
    full = {"for": 2}

    def put_unless_full(path, content):
        if full["for"]:
            full["for"] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(job, "write_whole", put_unless_full)
    groups = list(gather_records(releases(4), grouping_key()))

    async def written(retries):
        run = Run(job.Job(ErnSettings.of(PARTIES), CREATED, folder=tmp_path), batch_size=4, retries=retries)
        return [one async for one in build_releases(groups, run)]

    assert [one.path.exists() for one in asyncio.run(written(2))] == [True] * 4
    full["for"] = 2
    refused = [one for one in asyncio.run(written(0)) if isinstance(one, ReleaseRefused)]
    assert [(one.errors[0].field, one.errors[0].retryable) for one in refused] == [("file", True)] * 2


def test_what_is_written_can_be_read_again_as_an_import(tmp_path):
    records = [song(n, disc_number=d, track_number=n, artist=f"Ana feat. Bo {n}", isrc=f"GBAYE65{d}{n:04d}")
               for d in (1, 2) for n in (1, 2, 3)]  # fmt: skip
    (tmp_path / "m.xml").write_bytes(built(records).successes[0].message)
    found = [one.tags for one in ImportFile(tmp_path / "m.xml")]
    assert [(tags.title, tags.artist, tags.album, tags.album_artist, tags.duration_ms, tags.disc_number,
             tags.track_number, tags.ids.isrcs[0], tags.date) for tags in found] == [
        (one["title"], one["artist"], one["album"], one["album_artist"], one["duration_ms"], one["disc_number"],
         one["track_number"], one["isrc"], one["release_date"]) for one in records
    ]  # fmt: skip
    assert found[0].artists == ("Ana", "Bo 1")
