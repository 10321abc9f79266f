"""The walk: the files it yields, and its words for those it cannot read."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from soulspot.library.scan import LEADING_NOWHERE, LEADING_OUT, NOT_FOLLOWED, Walk, is_inside


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 3)
    return root


def found(looked_at: Walk, root: Path) -> list[str]:
    return [os.fsdecode(os.path.relpath(one.path, os.fsencode(root))) for one in looked_at]


def look(root: Path, **rules: Any) -> list[str]:
    return found(Walk([os.fsencode(root)], **rules), root)


def test_audio_is_found_in_a_fixed_order_and_other_files_are_ignored(tmp_path: Path) -> None:
    make(
        tmp_path,
        "b/2.MP3",
        "b/1.flac",
        "b/cover.jpg",
        "a/x.m4a",
        "z.opus",
        "a.cue",
        "noext",
        "mp3",
        "b/._1.flac",
    )
    assert look(tmp_path) == ["z.opus", "a/x.m4a", "b/1.flac", "b/2.MP3"]


def test_audio_that_nothing_reads_is_offered_too_so_that_it_can_be_reported(tmp_path: Path) -> None:
    make(tmp_path, "a.mka", "b.shn")
    assert look(tmp_path) == ["a.mka", "b.shn"]


def test_a_found_file_bears_the_stamp_of_its_file(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3")
    [one] = Walk([os.fsencode(tmp_path)])
    status = (tmp_path / "a.mp3").stat()
    assert (one.stamp.size, one.stamp.mtime_ns, one.stamp.inode) == (3, status.st_mtime_ns, status.st_ino)


def test_names_that_are_not_utf8_are_found_byte_for_byte(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    for name in (b"\xff\xfe.mp3", b"b\xe9b\xe9.flac"):
        with open(folder + b"/" + name, "wb"):
            pass
    paths = [one.path for one in Walk([os.fsencode(tmp_path)], exclude=["b*.flac"])]
    assert paths == [folder + b"/\xff\xfe.mp3"]


def test_albums_whose_names_begin_with_dots_are_found(tmp_path: Path) -> None:
    make(tmp_path, "Metallica/...And Justice for All/...And Justice for All.mp3", ".5 The Gray Chapter/x.mp3")
    assert len(look(tmp_path)) == 2


def test_deleted_music_in_trash_folders_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", ".Trash-1000/files/b.mp3", "@eaDir/c.mp3", "lost+found/d.mp3")
    assert look(tmp_path) == ["a.mp3"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"include": ["*.flac"]}, ["b/Live/2.flac", "b/c/3.flac"]),
        ({"include": ["b"]}, ["b/1.mp3", "b/Live/2.flac", "b/c/3.flac"]),
        ({"include": ["b/c/"]}, ["b/c/3.flac"]),
        ({"include": ["**/Live"]}, ["b/Live/2.flac"]),
        ({"exclude": ["Live"]}, ["a.mp3", "b/1.mp3", "b/c/3.flac"]),
        ({"exclude": ["b/*"]}, ["a.mp3"]),
        ({"exclude": ["*.mp3", "c"]}, ["b/Live/2.flac"]),
        ({"include": ["b"], "exclude": ["*.flac"]}, ["b/1.mp3"]),
        ({"exclude": ["[ab]*", ""]}, []),
    ],
)
def test_include_and_exclude_name_files_and_folders(
    tmp_path: Path, rules: dict[str, list[str]], expected: list[str]
) -> None:
    make(tmp_path, "a.mp3", "b/1.mp3", "b/Live/2.flac", "b/c/3.flac")
    assert look(tmp_path, **rules) == expected


def test_links_are_not_followed_unless_wanted(tmp_path: Path) -> None:
    make(tmp_path, "real/a.mp3")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "b.mp3").symlink_to("real/a.mp3")
    looked_at = Walk([os.fsencode(tmp_path)])
    assert found(looked_at, tmp_path) == ["real/a.mp3"]
    assert looked_at.links[NOT_FOLLOWED].count == 2


def test_link_loops_end_and_give_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "a/x.mp3", "b/y.mp3")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "a" / "self.mp3").symlink_to("self.mp3")
    (tmp_path / "b" / "other").symlink_to("../a")
    (tmp_path / "b" / "twin.mp3").symlink_to("y.mp3")
    (tmp_path / "b" / "gone.mp3").symlink_to("nowhere.mp3")
    assert look(tmp_path, follow_symlinks=True) == ["a/x.mp3", "b/y.mp3"]


def test_links_that_leave_the_library_are_refused_and_counted(tmp_path: Path) -> None:
    make(tmp_path, "music/a.mp3", "private/secret.mp3")
    (tmp_path / "music" / "out").symlink_to("../private")
    (tmp_path / "music" / "out.mp3").symlink_to("../private/secret.mp3")
    looked_at = Walk([os.fsencode(tmp_path / "music")], follow_symlinks=True)
    assert found(looked_at, tmp_path) == ["music/a.mp3"]
    assert looked_at.links[LEADING_OUT].count == 2


def test_of_links_that_are_passed_over_those_that_may_hide_music_are_counted(tmp_path: Path) -> None:
    make(tmp_path, "music/a.mp3", "music/.cover.jpg", "else/b.mp3")
    for name, target in (
        ("album", "../else"), ("b.flac", "../else/b.mp3"), ("gone.ogg", "nowhere"), ("cover.jpg", ".cover.jpg"),
        ("lost", "nowhere"), ("Podcasts", "../else"),
    ):  # fmt: skip
        (tmp_path / "music" / name).symlink_to(target)
    for follow, counts in ((False, (3, 0, 0)), (True, (0, 2, 1))):
        looked_at = Walk([os.fsencode(tmp_path / "music")], follow_symlinks=follow, exclude=["Podcasts"])
        assert found(looked_at, tmp_path) == ["music/a.mp3"]
        reasons = (NOT_FOLLOWED, LEADING_OUT, LEADING_NOWHERE)
        assert tuple(looked_at.links[reason].count for reason in reasons) == counts
    assert looked_at.links[LEADING_NOWHERE].first.endswith(b"/gone.ogg")


def test_a_link_into_an_excluded_folder_brings_that_music_back(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "incoming/album/b.mp3", "incoming/c.mp3")
    (tmp_path / "album").symlink_to("incoming/album")
    (tmp_path / "d.mp3").symlink_to("incoming/c.mp3")
    looked = look(tmp_path, follow_symlinks=True, exclude=["incoming"])
    assert looked == ["a.mp3", "album/b.mp3", "d.mp3"] or looked == ["a.mp3", "d.mp3", "album/b.mp3"]


def test_a_root_that_is_itself_a_link_is_walked(tmp_path: Path) -> None:
    make(tmp_path, "disk/a.mp3")
    (tmp_path / "Music").symlink_to("disk")
    assert look(tmp_path / "Music") == ["a.mp3"]


def test_pipes_sockets_and_folders_named_like_audio_are_no_candidates(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "folder.mp3/b.mp3")
    os.mkfifo(tmp_path / "pipe.mp3")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.mp3"))
        assert look(tmp_path) == ["a.mp3", "folder.mp3/b.mp3"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_overlapping_roots_give_each_file_once(tmp_path: Path, order: tuple[int, int]) -> None:
    make(tmp_path, "a.mp3", "sub/b.mp3")
    roots = [os.fsencode(tmp_path), os.fsencode(tmp_path / "sub")]
    looked_at = Walk([roots[i] for i in order] + [roots[0] + b"/sub/../"])
    assert sorted(found(looked_at, tmp_path)) == ["a.mp3", "sub/b.mp3"]
    assert set(looked_at.finished_roots) == set(roots)


def test_a_single_file_can_be_a_root_whatever_the_patterns_say(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "b.mp3", "cover.jpg")
    roots = [os.fsencode(tmp_path / "b.mp3"), os.fsencode(tmp_path), os.fsencode(tmp_path / "cover.jpg")]
    looked_at = Walk(roots, exclude=["b*"])
    assert found(looked_at, tmp_path) == ["b.mp3", "a.mp3"]
    assert [problem.path for problem in looked_at.problems] == [roots[2]]


def test_a_file_named_beside_its_folder_is_given_once(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "b.mp3")
    looked_at = Walk([os.fsencode(tmp_path), os.fsencode(tmp_path / "b.mp3")])
    assert sorted(found(looked_at, tmp_path)) == ["a.mp3", "b.mp3"]


def test_an_empty_root_is_a_problem_and_never_means_that_all_was_deleted(tmp_path: Path) -> None:
    make(tmp_path, "full/a.mp3")
    (tmp_path / "mount").mkdir()
    full, mount, absent = (os.fsencode(tmp_path / name) for name in ("full", "mount", "absent"))
    looked_at = Walk([full, mount, absent])
    assert len(list(looked_at)) == 1
    assert looked_at.finished_roots == [full]
    reasons = {problem.path: problem.reason for problem in looked_at.problems}
    assert reasons[absent] == "does not exist"
    assert "not mounted" in reasons[mount]
    assert looked_at.confirms_deletion(full + b"/gone.mp3")
    assert not looked_at.confirms_deletion(mount + b"/gone.mp3")
    assert not looked_at.confirms_deletion(absent + b"/gone.mp3")


def test_an_unmounted_root_inside_another_root_confirms_no_deletion(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3")
    (tmp_path / "nas").mkdir()
    looked_at = Walk([os.fsencode(tmp_path), os.fsencode(tmp_path / "nas")])
    assert len(list(looked_at)) == 1
    assert looked_at.confirms_deletion(os.fsencode(tmp_path / "gone.mp3"))
    assert not looked_at.confirms_deletion(os.fsencode(tmp_path / "nas" / "gone.mp3"))


class _FailingListing:
    """os.scandir, except that listing one folder fails: at once, or after its first entry."""

    def __init__(self, folder: Path, error: OSError, after: int = 0) -> None:
        self._real: Callable[..., Any] = os.scandir
        self._folder = os.fsencode(folder)
        self._error = error
        self._after = after

    def __call__(self, path: bytes) -> Any:
        if path != self._folder:
            return self._real(path)
        if not self._after:
            raise self._error
        return self

    def __enter__(self) -> Iterator[Any]:
        with self._real(self._folder) as entries:
            first = list(entries)[: self._after]
        return self._failing(first)

    def __exit__(self, *_: object) -> None:
        return None

    def _failing(self, first: Sequence[Any]) -> Iterator[Any]:
        yield from first
        raise self._error


@pytest.mark.parametrize(
    ("error", "after"),
    [(PermissionError(errno.EACCES, "Permission denied"), 0), (OSError(errno.EIO, "Input/output error"), 1)],
)
def test_a_folder_that_cannot_be_listed_is_a_problem_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, after: int
) -> None:
    make(tmp_path, "a/1.mp3", "b/2.mp3", "b/3.mp3", "c/4.mp3")
    monkeypatch.setattr(os, "scandir", _FailingListing(tmp_path / "b", error, after))
    looked_at = Walk([os.fsencode(tmp_path)])
    assert found(looked_at, tmp_path) == ["a/1.mp3", "c/4.mp3"]
    [problem] = looked_at.problems
    assert problem.path == os.fsencode(tmp_path / "b")
    assert problem.reason == error.strerror.lower()
    assert not looked_at.confirms_deletion(os.fsencode(tmp_path / "b" / "2.mp3"))
    assert looked_at.confirms_deletion(os.fsencode(tmp_path / "a" / "gone.mp3"))


def test_a_root_that_cannot_be_listed_is_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.mp3")
    monkeypatch.setattr(os, "scandir", _FailingListing(tmp_path, PermissionError(errno.EACCES, "Permission denied")))
    looked_at = Walk([os.fsencode(tmp_path)])
    assert list(looked_at) == []
    assert looked_at.finished_roots == []
    assert [problem.reason for problem in looked_at.problems] == ["permission denied"]


def test_a_folder_that_goes_away_during_the_walk_is_simply_gone(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "b/1.mp3", "c/2.mp3")
    looked_at = Walk([os.fsencode(tmp_path)])
    candidates = iter(looked_at)
    next(candidates)
    (tmp_path / "b" / "1.mp3").unlink()
    (tmp_path / "b").rmdir()
    assert [os.path.basename(one.path) for one in candidates] == [b"2.mp3"]
    assert looked_at.problems == []
    assert looked_at.confirms_deletion(os.fsencode(tmp_path / "b" / "1.mp3"))


def test_a_partial_walk_keeps_to_its_places_and_to_the_patterns_of_the_root(tmp_path: Path) -> None:
    make(tmp_path, "a/1.mp3", "a/Live/2.mp3", "b/3.mp3", "b/4.mp3")
    root = os.fsencode(tmp_path)
    places = [root + b"/a", root + b"/b/3.mp3", b"/elsewhere"]
    looked_at = Walk([root], exclude=["a/Live"], within=places)
    assert found(looked_at, tmp_path) == ["b/3.mp3", "a/1.mp3"]
    assert [problem.path for problem in looked_at.problems] == [b"/elsewhere"]
    assert looked_at.confirms_deletion(root + b"/a/gone.mp3")
    assert not looked_at.confirms_deletion(root + b"/b/4.mp3")
    assert found(Walk([root], exclude=["a"], within=[root + b"/a/Live"]), tmp_path) == []
    assert found(Walk([root], include=["b"], within=[root + b"/a/1.mp3", root + b"/b"]), tmp_path) == [
        "b/3.mp3",
        "b/4.mp3",
    ]


def test_a_partial_walk_cannot_be_led_out_of_the_library(tmp_path: Path) -> None:
    make(tmp_path, "music/a.mp3", "private/secret.mp3")
    (tmp_path / "music" / "out").symlink_to("../private")
    root = os.fsencode(tmp_path / "music")
    looked_at = Walk([root], within=[root + b"/out", root + b"/out/secret.mp3", root + b"/../private"])
    assert list(looked_at) == []
    assert looked_at.links[LEADING_OUT].count == 2
    assert looked_at.finished_roots == []


def test_a_very_deep_tree_is_walked_to_its_bottom(tmp_path: Path) -> None:
    folders = [tmp_path]
    try:
        for _ in range(1200):
            folders.append(folders[-1] / "d")
            folders[-1].mkdir()
        (folders[-1] / "x.mp3").write_bytes(b"x")
        assert len(look(tmp_path)) == 1
    finally:  # too deep for the one who clears up the temporary folders
        (folders[-1] / "x.mp3").unlink(missing_ok=True)
        for folder in reversed(folders[1:]):
            folder.rmdir()


def test_walking_twice_gives_the_same_again(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "b/1.mp3")
    looked_at = Walk([os.fsencode(tmp_path)])
    assert list(looked_at) == list(looked_at)
    assert looked_at.finished_roots == [os.fsencode(tmp_path)]


def test_a_path_is_inside_a_folder_only_below_it() -> None:
    assert is_inside(b"/music/a", b"/music")
    assert is_inside(b"/music", b"/music")
    assert is_inside(b"/music/a", b"/")
    assert not is_inside(b"/musical/a", b"/music")
