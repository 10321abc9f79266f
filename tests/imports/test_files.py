"""Import files: tracks without audio, in every shape people export them."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest

from soulspot.imports import files, records
from soulspot.imports.files import ImportFile, UnusableFile, check_readable
from soulspot.imports.rows import BadRow, ImportRow
from soulspot.models import Identifiers, TrackTags

RECORDING = "8b882575-08a5-4452-a7a7-cbb8a1531f9e"
RELEASE = "9e873859-8aa4-4790-b985-5a953e8ef628"
SPOTIFY = "4uLU6hMCjMI75M1A2tKUQC"

FULL = {
    "key": "k1",
    "spotify_id": f"spotify:track:{SPOTIFY}",
    "isrc": "gb-smu-45-66095",
    "mb_recording_id": RECORDING.upper(),
    "mb_release_id": RELEASE,
    "artist": "Ä & B",
    "title": "夜に駆ける",
    "album": "Album",
    "album_artist": "Various Artists",
    "duration_ms": "225000",
    "track_number": "3/12",
    "disc_number": "2",
}
EXPECTED = TrackTags(
    title="夜に駆ける",
    artist="Ä & B",
    album="Album",
    album_artist="Various Artists",
    track_number=3,
    disc_number=2,
    duration_ms=225000,
    ids=Identifiers(
        mb_recording_ids=(RECORDING,),
        mb_release_id=RELEASE,
        isrcs=("GBSMU4566095",),
        spotify_track_id=SPOTIFY,
    ),
)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def rows(path: Path) -> list[ImportRow | BadRow]:
    return list(ImportFile(path))


def good(path: Path) -> list[ImportRow]:
    found = [row for row in ImportFile(path) if isinstance(row, ImportRow)]
    assert len(found) == len(rows(path))
    return found


def table(mark: str) -> str:
    return mark.join(FULL) + "\r\n" + mark.join(FULL.values()) + "\r\n"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("x.csv", table(","), 2),
        ("x.csv", table(";"), 2),
        ("x.tsv", table("\t"), 2),
        ("x.csv", ("\ufeff" + table(";")).encode(), 2),
        ("x.csv", table("\t").encode("utf-16"), 2),
        ("x.CSV.gz", table(","), 2),
        ("x.json", json.dumps([FULL]), 1),
        ("x.json.gz", json.dumps([FULL], indent=2), 1),
        ("x.ndjson", json.dumps(FULL), 1),
        ("x.jsonl", "\n" + json.dumps(FULL) + "\n\n", 2),
        ("my.list.jsonl.gz", json.dumps(FULL) + "\n", 1),
    ],
)
def test_every_format_gives_the_same_row(tmp_path: Path, name: str, content: str | bytes, line: int) -> None:
    assert rows(written(tmp_path, name, content)) == [ImportRow(line, "k1", EXPECTED)]


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.gz", "x.csv.zip"])
def test_another_kind_of_file_is_refused_with_the_kinds_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"\.ndjson"):
        ImportFile(Path(name))


def test_an_absent_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rows(tmp_path / "absent.csv")


def test_unknown_columns_are_ignored_and_named_once(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "Title, Artist ,rating,mood\nA,B,5,sad\nC,D,4,glad\n")
    found = ImportFile(path)
    assert [row.tags.title for row in found if isinstance(row, ImportRow)] == ["A", "C"]
    assert sorted(found.unknown_columns) == ["mood", "rating"]


def test_a_table_without_a_header_is_one_bad_row_that_names_the_columns(tmp_path: Path) -> None:
    [bad] = rows(written(tmp_path, "x.csv", "4uLU6hMCjMI75M1A2tKUQC\n0VjIjW4GlUZAMYd2vXMi3b\n"))
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.ends_file) == (1, True)
    assert "none of its columns is known: 4uLU6hMCjMI75M1A2tKUQC" in bad.reason
    assert "spotify_id" in bad.reason


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", "", "the file is empty"),
        ("x.json", "", "the file is empty"),
        ("x.ndjson", "", "the file is empty"),
        ("x.csv", "a,b\n1,2\n", "none of its columns is known: a, b"),
        ("x.json", '{"title": "A"}', "not a JSON array"),
        ("x.json", "[1, 2", "not JSON"),
        ("x.csv", b"title\nCaf\x81\n", "line 2 is not UTF-8; convert the file with iconv -f latin1 -t utf8"),
        ("x.ndjson", b'{"title": "A"}\n{"title": "Caf\xe9"}\n', "line 2 is not UTF-8"),
        ("x.json", b'[{"title": "A"},\n{"title": "Caf\xe9"}]', "line 2 is not UTF-8"),
        ("x.pdf", "title\nA\n", "an import file ends in one of"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(UnusableFile, match=words.replace(".", r"\.")):
        check_readable(written(tmp_path, name, content))


def test_a_gzip_file_that_is_none_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "x.csv.gz"
    packed.write_text("title\nA\n")
    with pytest.raises(UnusableFile, match="damaged"):
        check_readable(packed)


def test_values_that_cannot_be_used_are_named_with_their_line(tmp_path: Path) -> None:
    text = "title,spotify_id,isrc,duration_ms,track_number\nA,zzz,bad,abc,-3\nB,,,0,1/12\n"
    found = [(row.line, words) for row in good(written(tmp_path, "x.csv", text)) for words in row.remarks]
    assert found == [
        (2, "spotify_id 'zzz' is not a Spotify id"),
        (2, "isrc 'bad' is not an ISRC"),
        (2, "duration_ms 'abc' is not a length in milliseconds"),
        (2, "track_number '-3' is not a number from 1 on"),
    ]


def test_a_malformed_identifier_is_kept_apart_and_the_rest_of_the_row_is_used(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", f"spotify_id,isrc,title\nspotify:local:a:b:c:1,nonsense,Song\n{SPOTIFY},,\n")
    first, second = good(path)
    assert first.tags.title == "Song"
    assert first.tags.ids.malformed == ("spotify_id: spotify:local:a:b:c:1", "isrc: nonsense")
    assert second.tags.ids == Identifiers(spotify_track_id=SPOTIFY)


def test_a_row_with_neither_title_nor_identifier_is_bad_and_says_why(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "key,artist,isrc,title\n1,Somebody,,\n2,,bad-isrc,\n3,,,Song\n")
    first, second, third = rows(path)
    assert first == BadRow(2, "neither a title nor an identifier")
    assert isinstance(second, ImportRow)
    assert second.tags.ids.malformed == ("isrc: bad-isrc",), "a malformed identifier is kept, to be shown"
    assert second.remarks[-1] == "nothing in this row can be looked up: its track ends as failed"
    assert not second.can_be_looked_up
    assert isinstance(third, ImportRow)
    assert third.remarks == ()
    assert third.key == "3"


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", 'title,artist\n"A\nstill A",B\n\n"say ""hi""",D\nshort\nE,F,extra\n')
    found = good(path)
    assert [(row.line, row.tags.title, row.tags.artist) for row in found] == [
        (2, "A\nstill A", "B"),
        (5, 'say "hi"', "D"),
        (6, "short", None),
        (7, "E", "F"),
    ]


@pytest.mark.parametrize(
    ("written_as", "milliseconds"),
    [(225000, 225000), ("3:45", 225000), (0, None), (-3, None), ("soon", None), (True, None), (None, None)],
)
def test_durations_are_milliseconds_or_minutes_and_never_zero(
    tmp_path: Path, written_as: object, milliseconds: int | None
) -> None:
    path = written(tmp_path, "x.ndjson", json.dumps({"title": "A", "duration_ms": written_as}))
    assert good(path)[0].tags.duration_ms == milliseconds


def test_json_values_may_be_numbers_and_lists(tmp_path: Path) -> None:
    record = {"key": 17, "title": 1999, "artist": ["One", "Two"], "isrc": ["GBSMU4566095", "USRC17607839"]}
    [row] = good(written(tmp_path, "x.json", json.dumps([{**record, "track_number": 3.0, "album": {"a": 1}}])))
    assert (row.key, row.tags.title, row.tags.track_number, row.tags.album) == ("17", "1999", 3, None)
    assert (row.tags.artist, row.tags.artists) == ("One, Two", ("One", "Two"))
    assert row.tags.ids.isrcs == ("GBSMU4566095", "USRC17607839")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", '{"title": "A"}'),
        ("x.json", '[{"title"'),
        ("x.json", ""),
        ("x.json", "[" * 100_000),
        ("x.json", '["A"]'),
        ("x.ndjson", "[]"),
        ("x.ndjson", "17"),
        ("x.ndjson", '{"title": "A"'),
        ("x.ndjson", "[" * 100_000),
    ],
)
def test_json_that_is_no_row_is_a_bad_row(tmp_path: Path, name: str, content: str) -> None:
    [bad] = rows(written(tmp_path, name, content))
    assert isinstance(bad, BadRow)
    assert bad.line == 1
    assert "JSON" in bad.reason


def test_a_json_array_is_read_item_by_item_whatever_lies_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [{"title": f'Song {n} ]}},\\ "x" ☂', "track_number": 100 + n, "album": ["a", "b"]} for n in range(300)]
    for size in (1, 2, 7, 1 << 16):
        monkeypatch.setattr(records, "WINDOW", size)
        for text in (json.dumps(items), json.dumps(items, indent=3), ",\n".join(json.dumps(items).split(", "))):
            found = good(written(tmp_path, "x.json", f"\n {text} \n"))
            assert [row.tags.title for row in found] == [item["title"] for item in items]
            assert [row.line for row in found] == [*range(1, 301)]
        numbers = rows(written(tmp_path, "x.json", '[12345, {"title": "A"}, 67]'))
        assert [isinstance(row, BadRow) for row in numbers] == [True, False, True]
    assert rows(written(tmp_path, "x.json", " [\n] ")) == []


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (', {"title": "B"', "not JSON from line 3 on, item 3"),
        (", {'title': 1}]", "not JSON from line 3 on, item 3"),
        (', {"title": ' + "[" * 5000 + "]", "nested too deep"),
        (', {"title": "' + "x" * (3 * records.MAX_LINE) + '"}]', "at most 1048576 characters"),
        ("", "does not go on or end"),
        ("] x", "something follows"),
        (",]", "not JSON from line 3 on"),
    ],
)
def test_the_items_before_the_damage_of_a_json_file_are_good(tmp_path: Path, end: str, words: str) -> None:
    *first, bad = rows(written(tmp_path, "x.json", '[\n{"title": "A"},\n{"title": "B"}' + end))
    assert [row.tags.title for row in first if isinstance(row, ImportRow)] == ["A", "B"]
    assert isinstance(bad, BadRow)
    assert bad.ends_file
    assert words in bad.reason


def test_a_number_without_end_is_no_value(tmp_path: Path) -> None:
    for name, text in (("x.json", "[{}]"), ("x.ndjson", "{}")):
        [row] = good(written(tmp_path, name, text.replace("{}", '{"title": "A", "duration_ms": ' + "9" * 9000 + "}")))
        assert (row.tags.title, row.tags.duration_ms) == ("A", None)


@pytest.mark.parametrize(
    "filling", [" " * 5000, json.dumps({"title": "A", "comment": "x" * 5000}) + ",", "[" + "null," * 5000 + "0],"],
    ids=["blanks", "objects", "lists"],
)  # fmt: skip
def test_a_small_packed_json_that_unpacks_to_much_takes_little_memory(tmp_path: Path, filling: str) -> None:
    path, times = tmp_path / "x.json.gz", (12 << 20) // len(filling)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"[")
        for _ in range(times):
            file.write(filling.encode())
        file.write(b"{}]")
    tracemalloc.start()
    try:
        count = sum(1 for _ in ImportFile(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == (1 if filling.isspace() else 1 + times)
    assert peak < 4 << 20


@pytest.mark.parametrize("name", ["x.csv.gz", "x.json.gz", "x.ndjson.gz"])
def test_a_packed_file_without_end_is_given_up_and_says_so(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_UNPACKED", 1 << 20)
    head = {"x.csv.gz": "title\nA\n", "x.json.gz": '[{"title": "A"},', "x.ndjson.gz": '{"title": "A"}\n'}[name]
    *_, bad = rows(written(tmp_path, name, head + " " * (2 << 20)))
    assert isinstance(bad, BadRow)
    assert "it holds over 1 MB; split it" in bad.reason


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.ndjson", "x.xml", "x.csv.gz"])
def test_only_regular_files_are_read(tmp_path: Path, name: str) -> None:
    pipe, device, folder = tmp_path / f"pipe-{name}", tmp_path / f"device-{name}", tmp_path / f"folder-{name}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    folder.mkdir()
    for path in (pipe, device, folder):
        with pytest.raises(UnusableFile, match="not a regular file"):
            check_readable(path)


def test_rows_are_passed_over_up_to_a_place(tmp_path: Path) -> None:
    for name, content in (
        ("x.csv", "title,odd\nA,1\n,2\nB,3\nC,4\n"),
        ("x.json", '[{"title": "A"}, 7, {"title": "B"}, {"title": "C", "odd": 1}, x'),
        ("x.ndjson", b'{"title": "A"}\n7\n{"title": "B", "odd": 1}\n{"title": "C"}\nCaf\xe9'),
    ):
        file = ImportFile(written(tmp_path, name, content))
        whole = list(file)
        for count in range(len(whole) + 2):
            assert list(file.rows_after(count)) == whole[count:]
            assert file.unknown_columns == ["odd"]


def test_one_bad_line_spoils_no_other(tmp_path: Path) -> None:
    path = written(tmp_path, "x.ndjson", '{"title": "A"}\nnot json\n{"title": "B"}\n')
    assert [row.line for row in rows(path) if isinstance(row, BadRow)] == [2]
    assert len(rows(path)) == 3


@pytest.mark.parametrize("name", ["x.csv", "x.ndjson"])
def test_an_endless_line_is_one_bad_row(tmp_path: Path, name: str) -> None:
    line = {"x.csv": "{}\n", "x.ndjson": '{{"title": "{}"}}\n'}[name]
    head = "title\n" if name == "x.csv" else ""
    content = head + line.format("A") + line.format("x" * (3 * records.MAX_LINE)) + line.format("B")
    found = rows(written(tmp_path, name, content))
    assert [isinstance(row, BadRow) for row in found] == [False, True, False]
    assert found[2].line == found[0].line + 2


@pytest.mark.parametrize(
    "broken", ['"B,X', '"B",X\n"C,X', '"B"" ,X', 'B,"X', '"B,"X'], ids=lambda text: text.splitlines()[0]
)
def test_a_quote_that_never_closes_is_named_with_its_line_and_takes_no_other_row(tmp_path: Path, broken: str) -> None:
    for tail in (
        "",
        "\n",
        "\nT,Y\n" * 3,
        '\n"T","Y"\n' * 3,
        "\nT,Y" * 2500,
        '\n"T",Y\n' + "x" * records.MAX_LINE + "\n",
    ):
        path = written(tmp_path, "x.csv", f"title,artist\nA,X\n{broken}{tail}")
        found = rows(path)
        assert [row for row in found if isinstance(row, ImportRow) and row.tags.title == "A"]
        taken = [row for row in found if isinstance(row, ImportRow) and row.tags.title == "T"]
        assert len(taken) == tail.count("T"), tail[:20]
        lines = path.read_text().splitlines()
        for row in taken:
            assert lines[row.line - 1].startswith(("T", '"T"'))
        bad = [row for row in found if isinstance(row, BadRow) and "quoted value" in row.reason]
        assert all('"' in lines[row.line - 1] for row in bad)
        assert bad or broken == '"B,"X', "strict rules alone refuse this one, and it stays within its line"


def test_a_value_of_many_lines_is_one_value(tmp_path: Path) -> None:
    text = "\n".join(f'line {n}, ""quoted""' for n in range(records.MAX_CELL_LINES - 1))
    [row, last] = good(written(tmp_path, "x.csv", f'title,comment\nA,"{text}"\nB,"x"\n'))
    assert (row.tags.title, last.tags.title, last.line) == ("A", "B", 2 + records.MAX_CELL_LINES - 1)


def test_a_file_full_of_quotes_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_READ_AGAIN", 5000)
    found = rows(written(tmp_path, "x.csv", "title,artist\nA,B\n" + 'x","\n' * 20_000))
    assert isinstance(found[0], ImportRow)
    assert isinstance(found[-1], BadRow)
    assert found[-1].ends_file
    assert "do not end" in found[-1].reason


def test_the_rows_before_what_is_not_utf8_are_read_even_behind_an_open_quote(tmp_path: Path) -> None:
    found = rows(written(tmp_path, "x.csv", b'title\n"A\nB\nC\nCaf\x81\nD\n'))
    assert [(row.line, isinstance(row, ImportRow)) for row in found] == [(2, False), (3, True), (4, True), (5, False)]


def test_text_that_is_not_utf8_is_not_guessed_at(tmp_path: Path) -> None:
    first, bad = rows(written(tmp_path, "x.csv", b"title\nA\nCaf\xe9 \xff\nB\n"))
    assert isinstance(first, ImportRow)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.ends_file) == (3, True)


@pytest.mark.parametrize("cut", [5, 12, 60, -4])
def test_a_cut_off_gzip_file_gives_the_rows_it_still_has_and_one_bad_row(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.csv.gz"
    body = "title\n" + "".join(f"Song {n}\n" for n in range(1000))
    path.write_bytes(gzip.compress(body.encode())[:cut])
    found = rows(path)
    assert isinstance(found[-1], BadRow)
    assert "damaged" in found[-1].reason
    assert all(isinstance(row, ImportRow) for row in found[:-1])


def test_a_file_that_is_no_gzip_at_all_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_text("title\nA\n")
    [bad] = rows(path)
    assert isinstance(bad, BadRow)


def test_a_long_table_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("spotify_id,title\n")
            file.writelines(f"{n:022d},Song {n}\n" for n in range(count))
        tracemalloc.start()
        try:
            assert sum(1 for _ in ImportFile(path)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(5_000) < peak(200) + 100_000
