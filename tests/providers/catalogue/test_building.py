"""A build ends with a whole new catalogue, or leaves the old one as it was and says why."""

from __future__ import annotations

import bz2
import io
import os
import resource
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.errors import CatalogueError
from soulspot.providers.catalogue import BuildProgress, BuildStopped, Catalogue, build_catalogue
from soulspot.sandbox import invent_catalogue
from soulspot.sandbox.dumps import write_canonical_dump, write_core_dump

Members = dict[str, bytes]
CHILD = """
import sys
from pathlib import Path
from soulspot.providers.catalogue import build_catalogue
print("begun", flush=True)
build_catalogue([Path(one) for one in sys.argv[2:]], Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_core_dump(invent_catalogue(seed=5, tracks=300), tmp_path_factory.mktemp("dump"), level=1)


@pytest.fixture
def target(tmp_path: Path, dumps: tuple[Path, Path]) -> Path:
    """A live catalogue, of the core dump alone."""
    build_catalogue(dumps[:1], tmp_path / "catalogue.db")
    return tmp_path / "catalogue.db"


def members_of(path: Path) -> Members:
    with tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def pack(path: Path, members: Members) -> Path:
    with bz2.open(path, "wb", 1) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def without(name: str) -> Callable[[Members], Members]:
    return lambda members: {one: content for one, content in members.items() if one != name}


def with_content(name: str, change: Callable[[bytes], bytes]) -> Callable[[Members], Members]:
    return lambda members: {one: change(content) if one == name else content for one, content in members.items()}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (with_content("SCHEMA_SEQUENCE", lambda _: b"32\n"), "has schema 32, and this SoulSpot reads 30 and 31"),
        (with_content("SCHEMA_SEQUENCE", lambda _: b"29\n"), "has schema 29"),
        (without("mbdump/track"), "no table track"),
        (without("mbdump/recording"), "no dump of MusicBrainz"),
        (with_content("mbdump/recording", lambda rows: rows + b"7\tlost\n"), "has 2 columns instead of 9"),
        (with_content("mbdump/track", lambda rows: rows[:-5]), "in the middle of row"),
    ],
)
def test_a_dump_that_is_unknown_or_not_whole_is_named_and_the_old_catalogue_stays(
    tmp_path: Path, target: Path, dumps: tuple[Path, Path], spoil: Callable[[Members], Members], why: str
) -> None:
    before = target.read_bytes()
    spoilt = pack(tmp_path / "mbdump.tar.bz2", spoil(members_of(dumps[0])))
    with pytest.raises(CatalogueError, match=why):
        build_catalogue([spoilt], target)
    assert target.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["catalogue.db", "catalogue.db.lock", "mbdump.tar.bz2"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.97])
def test_an_archive_that_was_cut_off_is_named_and_the_old_catalogue_stays(
    tmp_path: Path, target: Path, dumps: tuple[Path, Path], share: float
) -> None:
    before, whole = target.read_bytes(), dumps[0].read_bytes()
    cut = tmp_path / "mbdump.tar.bz2"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CatalogueError, match="mbdump"):
        build_catalogue([cut], target)
    assert target.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 1000, b"\x1f\x8bgzip", b"BZh9 but no more"])
def test_a_file_that_is_no_dump_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CatalogueError, match="file"):
        build_catalogue([tmp_path / "file"], tmp_path / "catalogue.db")
    assert not (tmp_path / "catalogue.db").exists()


def test_members_in_any_order_and_the_older_schema_give_the_same_catalogue(
    tmp_path: Path, dumps: tuple[Path, Path]
) -> None:
    members = members_of(dumps[0])
    isrcs = [line.split(b"\t") for line in members["mbdump/isrc"].splitlines()]
    members["mbdump/isrc"] = b"".join(b"\t".join([*row[:3], b"\\N", *row[3:]]) + b"\n" for row in isrcs)
    members["SCHEMA_SEQUENCE"] = b"30\n"
    older = pack(tmp_path / "older.tar.bz2", dict(reversed(members.items())))
    build_catalogue([older], tmp_path / "older.db")
    build_catalogue(dumps[:1], tmp_path / "newer.db")
    with closing(Catalogue(tmp_path / "older.db")) as one, closing(Catalogue(tmp_path / "newer.db")) as other:
        assert one.about.recordings == other.about.recordings
        numbers = range(1, one.about.recordings + 1)
        # a table is in the order of its rows, whatever the order of the tables
        assert one.recordings(numbers) == other.recordings(numbers)


def test_progress_only_goes_forward_and_ends_near_the_end(tmp_path: Path, dumps: tuple[Path, Path]) -> None:
    seen: list[BuildProgress] = []
    build_catalogue(dumps, tmp_path / "catalogue.db", report=seen.append)
    shares = [one.done for one in seen]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    assert all(0 <= share <= 1 for share in shares)


def test_a_build_that_is_asked_to_stop_leaves_the_old_catalogue(target: Path, dumps: tuple[Path, Path]) -> None:
    before, seen = target.read_bytes(), []

    def is_stopped() -> bool:
        return len(seen) > 20

    with pytest.raises(BuildStopped):
        build_catalogue(dumps, target, report=seen.append, is_stopped=is_stopped)
    assert target.read_bytes() == before


def test_two_builds_of_one_catalogue_do_not_run_at_once(target: Path, dumps: tuple[Path, Path]) -> None:
    refused: list[str] = []

    def build_another(_: BuildProgress) -> None:
        if not refused:
            with pytest.raises(CatalogueError) as error:
                build_catalogue(dumps, target)
            refused.append(str(error.value))

    build_catalogue(dumps, target, report=build_another)
    assert "another build" in refused[0]


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


@pytest.mark.process
def test_a_build_killed_at_any_moment_leaves_the_old_catalogue_and_the_next_one_succeeds(
    target: Path, dumps: tuple[Path, Path]
) -> None:
    before = target.read_bytes()
    for number in range(10):
        command = [sys.executable, "-c", CHILD, str(target), *map(str, dumps)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begun\n"
            while child.poll() is None and size_of(target.with_name("catalogue.db.building")) < number * 100_000:
                pass
            child.send_signal(signal.SIGKILL)
        if child.returncode == -signal.SIGKILL:
            assert target.read_bytes() == before
    build_catalogue(dumps, target)
    with closing(Catalogue(target)) as catalogue:
        catalogue.check(thoroughly=True)


@pytest.mark.process
@pytest.mark.parametrize("room", [30_000, 150_000])
def test_a_full_disk_is_named_and_the_old_catalogue_stays(target: Path, dumps: tuple[Path, Path], room: int) -> None:
    before = target.read_bytes()

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writes beyond the limit fail, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [sys.executable, "-c", CHILD, str(target), *map(str, dumps)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    assert "CatalogueError" in ended.stderr
    assert target.read_bytes() == before
    assert not target.with_name("catalogue.db.building").exists()


def test_the_names_of_a_canonical_dump_are_found_without_lengths(tmp_path: Path) -> None:
    world = invent_catalogue(seed=5, tracks=300)
    build_catalogue([write_canonical_dump(world, tmp_path)], tmp_path / "catalogue.db")
    with closing(Catalogue(tmp_path / "catalogue.db")) as catalogue:
        assert catalogue.about.names_only
        assert time.strftime("%Y-%m-%d", time.gmtime(catalogue.about.dated)) == "2026-11-15"
        listed = [one for one in world.recordings if world.places(one.mbid)]
        assert catalogue.about.recordings == len(listed)
        numbers = catalogue.by_mbid("recording", [one.mbid for one in listed])
        entities = catalogue.recordings(numbers.values())
        for one in listed:
            fields = entities[numbers[one.mbid]].fields
            assert (fields["title"], fields["artist"]) == (one.title, one.artist)
            assert "duration_ms" not in fields


def test_a_catalogue_of_another_program_or_format_is_refused_in_words(tmp_path: Path, target: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"something else" * 500)
    for path, why in ((tmp_path / "other.db", "is no catalogue"), (tmp_path / "none.db", "there is no catalogue")):
        with pytest.raises(CatalogueError, match=why):
            Catalogue(path)
    os.truncate(target, target.stat().st_size // 2)
    with pytest.raises(CatalogueError, match="build it again"), closing(Catalogue(target)) as cut:
        cut.check(thoroughly=True)
