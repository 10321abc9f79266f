"""Tables as music programs and playlist services write them come in whole."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from soulspot.imports.columns import parse_assignments
from soulspot.imports.files import ImportFile, UnusableFile, check_readable, list_import_files
from soulspot.imports.rows import BadRow, ImportRow
from soulspot.models import TrackTags
from soulspot.operations import kinds
from tests.support.flow import rows, soulspot, write_config

SPOTIFY = "11dFghVXANMlKmJXsNCbNl"
ISRC = "USVG20500001"
RECORDING = "8b882575-08a5-4452-a7a7-cbb8a1531f9e"
RELEASE = "9e873859-8aa4-4790-b985-5a953e8ef628"


def read(folder: Path, content: str | bytes, name: str = "x.csv", **columns: str) -> list[ImportRow | BadRow]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(ImportFile(path, columns))


def known(row: ImportRow | BadRow) -> dict[str, Any]:
    """Return what is known of a row, without what is empty."""
    assert isinstance(row, ImportRow), row
    assert row.remarks == ()
    found = {one.name: getattr(row.tags, one.name) for one in fields(TrackTags) if one.name != "ids"}
    ids = row.tags.ids
    found |= {"isrc": ids.isrcs, "spotify": ids.spotify_track_id, "recording": ids.mb_recording_ids}
    found |= {"release": ids.mb_release_id, "key": row.key}
    return {name: value for name, value in found.items() if value}


POPCORN = {"title": "Popcorn", "artist": "Gershon Kingsley", "album": "Music to Moog By"}
TABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "Exportify": (
        '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album URI","Album Name","Album Artist URI(s)",'
        '"Album Artist Name(s)","Album Release Date","Album Image URL","Disc Number","Track Number",'
        '"Track Duration (ms)","Track Preview URL","Explicit","Popularity","ISRC","Added By","Added At"\n'
        f'"spotify:track:{SPOTIFY}","Popcorn","spotify:artist:1","Gershon Kingsley","spotify:album:2",'
        '"Music to Moog By","spotify:artist:1","Gershon Kingsley","1969","https://i.scdn.co/x","1","9","150000",'
        f'"","false","31","{ISRC}","spotify:user:u","2024-01-01"\n',
        {**POPCORN, "album_artist": "Gershon Kingsley", "spotify": SPOTIFY, "isrc": (ISRC,), "duration_ms": 150_000,
         "track_number": 9, "disc_number": 1},
    ),
    "exportify.net": (
        "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Danceability,Key,Mode,"
        f"Tempo\nspotify:track:{SPOTIFY},Popcorn,Music to Moog By,A;B,1969,150000,1,0.5,7,1,120.1\n",
        {**POPCORN, "artist": "A, B", "artists": ("A", "B"), "spotify": SPOTIFY, "duration_ms": 150_000},
    ),
    "exportify.net, before": (
        "Spotify ID,Artist IDs,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms)\n"
        f'{SPOTIFY},1,Popcorn,Music to Moog By,"Tyler, The Creator",1969,150000\n',
        {**POPCORN, "artist": "Tyler, The Creator", "spotify": SPOTIFY, "duration_ms": 150_000},
    ),
    "TuneMyMusic": (
        "\ufeffTrack name,Artist name,Album,Playlist name,Type,ISRC,Spotify - id\r\n"
        f"Popcorn,Gershon Kingsley,Music to Moog By,mine,Playlist,,{SPOTIFY}\r\n",
        {**POPCORN, "spotify": SPOTIFY},
    ),
    "Soundiiz": (
        "title;artist;album;isrc;addedDate;url\nPopcorn;Gershon Kingsley;Music to Moog By;"
        f"{ISRC};2024-01-01;https://open.spotify.com/intl-de/track/{SPOTIFY}?si=1\n",
        {**POPCORN, "isrc": (ISRC,), "spotify": SPOTIFY},
    ),
    "Deezer": (
        "Song Title,Artist,ISRC,Album Title,IP Address,Listening Time,Platform Name\n"
        f"Popcorn,Gershon Kingsley,{ISRC},Music to Moog By,127.0.0.1,12,web\n",
        {**POPCORN, "isrc": (ISRC,)},
    ),
    "iTunes": (
        "Name\tArtist\tComposer\tAlbum\tGenre\tSize\tTime\tDisc Number\tDisc Count\tTrack Number\tTrack Count\tYear\r"
        "Popcorn\tGershon Kingsley\t\tMusic to Moog By\tPop\t1234\t150\t1\t1\t9\t12\t1969\r",
        {**POPCORN, "duration_ms": 150_000, "track_number": 9, "disc_number": 1},
    ),
    "foobar2000": (
        "Artist\tAlbum\tTrack no\tTitle\tDuration\nGershon Kingsley\tMusic to Moog By\t09\tPopcorn\t2:30\n",
        {**POPCORN, "duration_ms": 150_000, "track_number": 9},
    ),
    "MusicBee": (
        "Title,Artist,Album,Album Artist,Track #,Disc #,Time,Url\n"
        "Popcorn,Gershon Kingsley,Music to Moog By,Various Artists,9,1,2:30,C:\\Music\\x.mp3\n",
        {**POPCORN, "album_artist": "Various Artists", "duration_ms": 150_000, "track_number": 9, "disc_number": 1},
    ),
    "Rekordbox": (
        "#\tArtwork\tTrack Title\tArtist\tAlbum\tGenre\tBPM\tRating\tTime\tKey\tDate Added\r\n"
        "1\t\tPopcorn\tGershon Kingsley\tMusic to Moog By\t\t120.00\t     \t02:30\tAm\t2024-01-01\r\n",
        {**POPCORN, "duration_ms": 150_000},
    ),
    "Traktor": (
        "Title\tArtist\tRelease\tBPM\tTime\tKey Text\nPopcorn\tGershon Kingsley\tMusic to Moog By\t120\t2:30\t8A\n",
        {**POPCORN, "duration_ms": 150_000},
    ),
    "Serato": ("name,artist,album,length,key,bpm\nPopcorn,Gershon Kingsley,Music to Moog By,02:30.12,Am,120\n",
               {**POPCORN, "duration_ms": 150_120}),
    "last.fm": (
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        f'"1","01 Jan 2024, 00:00","Gershon Kingsley","{RELEASE}","Music to Moog By","{RELEASE}","Popcorn",'
        f'"{RECORDING}"\n',
        {**POPCORN, "recording": (RECORDING,), "release": RELEASE},
    ),
    "Shazam": (
        "Shazam Library\nIndex,TagTime,Title,Artist,URL,TrackKey\n"
        '1,2024-01-01,"Popcorn","Gershon Kingsley","https://www.shazam.com/track/1/x",1\n',
        {"title": "Popcorn", "artist": "Gershon Kingsley"},
    ),
    "Google Play Music": (
        "Title,Album,Artist,Duration (ms),Rating,Play Count\nPopcorn,Music to Moog By,Gershon Kingsley,150000,0,3\n",
        {**POPCORN, "duration_ms": 150_000},
    ),
    "YouTube Music, by other programs": (
        "PlaylistName,MediaId,Title,Artists,Duration\nmine,1pEe7-tWv2M,Popcorn,Gershon Kingsley,150\n",
        {"title": "Popcorn", "artist": "Gershon Kingsley", "duration_ms": 150_000},
    ),
    "beets": (
        f"albumartist,artist,album,disc,track,title,length,mb_trackid,mb_albumid\n"
        f"V,Gershon Kingsley,Music to Moog By,1,9,Popcorn,2:30,{RECORDING},{RELEASE}\n",
        {**POPCORN, "album_artist": "V", "duration_ms": 150_000, "track_number": 9, "disc_number": 1,
         "recording": (RECORDING,), "release": RELEASE},
    ),
    "data sets": (
        "track_id,artists,album_name,track_name,popularity,duration_ms,key,tempo\n"
        f"""{SPOTIFY},"['Gershon Kingsley', ""L'Autre""]",Music to Moog By,Popcorn,1,150000,7,120\n""",
        {**POPCORN, "artist": "Gershon Kingsley, L'Autre", "artists": ("Gershon Kingsley", "L'Autre"),
         "spotify": SPOTIFY, "duration_ms": 150_000},
    ),
    "Excel, German": (
        "sep=;\nInterpret;Titel;Album;Dauer\nGershon Kingsley;Popcorn;Music to Moog By;2:30\n",
        {**POPCORN, "duration_ms": 150_000},
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", TABLES)
def test_the_table_of_every_program_comes_in_whole(tmp_path: Path, program: str) -> None:
    content, expected = TABLES[program]
    assert [known(row) for row in read(tmp_path, content)] == [expected]
    name = "x.txt"
    assert [known(row) for row in read(tmp_path, content.encode("utf-16"), name)] == [expected]


def test_the_json_of_streaming_services_comes_in_too(tmp_path: Path) -> None:
    content = (
        '[{"endTime": "2024", "artistName": "A", "trackName": "T", "msPlayed": 9},'
        ' {"master_metadata_track_name": "U", "master_metadata_album_artist_name": "B",'
        f' "master_metadata_album_album_name": "C", "spotify_track_uri": "spotify:track:{SPOTIFY}"}}]'
    )
    assert [known(row) for row in read(tmp_path, content, "x.json")] == [
        {"title": "T", "artist": "A"},
        {"title": "U", "artist": "B", "album": "C", "spotify": SPOTIFY},
    ]


@pytest.mark.parametrize(
    ("heading", "cell", "milliseconds"),
    [
        ("duration_ms", "225", 225), ("duration_ms", "3:45", 225_000), ("Duration (ms)", "225000", 225_000),
        ("Duration (ms)", "1500", 1500), ("Duration (s)", "225", 225_000), ("Length in seconds", "225.5", 225_500),
        ("duration_seconds", "4000", 4_000_000), ("duration", "225", 225_000), ("Duration", "225000", 225_000),
        ("Time", "3:45", 225_000), ("Time", "1:02:03", 3_723_000), ("Length", "3m 45s", 225_000),
        ("Length", "225 s", 225_000), ("Length", "225000 ms", 225_000), ("duration", "PT3M45S", 225_000),
        ("Dauer", "225,5", 225_500), ("Dauer", "3 min 45 sek".replace("sek", "sec"), 225_000), ("length", "", None),
    ],
)  # fmt: skip
def test_lengths_are_read_in_the_unit_they_are_written_in(
    tmp_path: Path, heading: str, cell: str, milliseconds: int | None
) -> None:
    [row] = read(tmp_path, f"title;{heading}\nA;{cell}\n")
    assert known(row).get("duration_ms") == milliseconds


def test_a_length_in_an_uncertain_unit_is_no_length_and_is_named(tmp_path: Path) -> None:
    [row] = read(tmp_path, "title,duration\nA,9000\n")
    assert isinstance(row, ImportRow)
    assert row.tags.duration_ms is None
    assert row.remarks == ("duration_ms '9000, seconds or milliseconds,' is not a length in milliseconds",)


def test_the_key_of_the_music_is_not_the_key_of_the_row(tmp_path: Path) -> None:
    text = "key,title,bpm\n8A,One,120\n8A,Two,120\n"
    assert [known(row).get("key") for row in read(tmp_path, text)] == [None, None]
    assert [known(row).get("key") for row in read(tmp_path, text, key="key")] == ["8A", "8A"]
    assert known(read(tmp_path, "key,title\n8A,One\n")[0])["key"] == "8A"


@pytest.mark.parametrize(
    ("headings", "cells", "expected"),
    [
        ("Track,Artist", "One,A", {"title": "One", "artist": "A"}),
        ("Track,Title,Artist", "7,One,A", {"title": "One", "artist": "A", "track_number": 7}),
        ("Track,Name,Artist", "7,One,A", {"title": "One", "artist": "A", "track_number": 7}),
        ("Name,Title,Artist", "My list,One,A", {"title": "One", "artist": "A"}),
        ("name,track_name,artist", "My list,One,A", {"title": "One", "artist": "A"}),
        ("id,title", "17,One", {"title": "One"}),
        ("id,title", f"{SPOTIFY},One", {"title": "One", "spotify": SPOTIFY}),
        ("url,title", f"https://open.spotify.com/album/{SPOTIFY},One", {"title": "One"}),
        ("Artist Name(s),title", '"10,000 Maniacs",One', {"title": "One", "artist": "10,000 Maniacs"}),
        ("Artist Name(s),title", '"A,B",One', {"title": "One", "artist": "A, B", "artists": ("A", "B")}),
        ("Artist,Artists,title", "A & B,A;B,One", {"title": "One", "artist": "A & B"}),
        ("Artist,Artists,title", ",A;B,One", {"title": "One", "artist": "A, B", "artists": ("A", "B")}),
        ("title,artist", "'=One,'til", {"title": "=One", "artist": "'til"}),
    ],
)
def test_a_heading_of_several_meanings_is_read_by_those_beside_it(
    tmp_path: Path, headings: str, cells: str, expected: dict[str, Any]
) -> None:
    assert [known(row) for row in read(tmp_path, f"{headings}\n{cells}\n")] == [expected]


def test_headings_that_nobody_knows_can_be_given(tmp_path: Path) -> None:
    text = "Lied;Wer;Lang;title\nOne;A;225;not this\n"
    given = parse_assignments(['title="Lied"', "Artist=wer", "duration_ms=Lang"])
    assert given == {"title": "Lied", "artist": "wer", "duration_ms": "Lang"}
    file = ImportFile(tmp_path / "x.csv", given)
    assert [known(row) for row in read(tmp_path, text, **given)] == [
        {"title": "One", "artist": "A", "duration_ms": 225_000}
    ]
    assert list(file)
    assert file.unknown_columns == ["title"]


def test_a_given_heading_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("title,Wer\nOne,A\n")
    with pytest.raises(UnusableFile, match="there is no column 'Who'; there are title, Wer"):
        check_readable(path, {"artist": "Who"})


@pytest.mark.parametrize("text", ["title", "title=", "=Song", "name=Song"])
def test_a_column_given_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="title"):
        parse_assignments([text])


@pytest.mark.parametrize(
    "text", ["Beyoncé", "Motörhead", "Sigur Rós – Ágætis byrjun", "Mylène Farmer’s “Été”", "Škoda", "L’été indien…",
             "Þú ert"],
)  # fmt: skip
def test_western_text_that_is_not_utf8_is_read_as_windows_writes_it(tmp_path: Path, text: str) -> None:
    [first, second] = read(tmp_path, f"title;artist\n{text};A\n".encode("cp1252") + f"{text};B\n".encode())
    assert known(first) == {"title": text, "artist": "A"}
    assert known(second) == {"title": text, "artist": "B"}, "in one file, each line is read as it was written"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Группа крови", "cp1251"), ("夜に駆ける", "shift_jis"), ("Beyoncé", "mac_roman"),
     ("Ελλάδα", "cp1253"), ("夜曲", "gbk")],
)  # fmt: skip
def test_text_of_another_encoding_is_named_and_not_guessed_at(tmp_path: Path, text: str, encoding: str) -> None:
    [bad] = read(tmp_path, b"title\n" + text.encode(encoding) + b"\n")
    assert isinstance(bad, BadRow), known(bad)
    assert (bad.line, bad.ends_file) == (2, True)


def test_texts_of_a_folder_are_not_taken_for_tables(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("title\nA\n")
    (tmp_path / "songs.csv").write_text("title\nA\n")
    assert list_import_files(tmp_path) == [tmp_path / "songs.csv"]
    assert list_import_files(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]


async def test_the_command_takes_headings_too_and_a_restart_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Lied,Wer\nOne,A\n")
    config = write_config(
        tmp_path / "c.toml", {"database.path": str(tmp_path / "db"), "providers.musicbrainz.contact": "me@example.org"}
    )
    ended = await soulspot("import", path, "--columns", "title=Lied", "--columns", "artist=Wer", "--config", config)
    assert ended.code == 0, ended.err
    assert (ended.code, ended.out.splitlines()[0]) == (0, "1 rows, 1 queued, 0 bad")
    assert [(one["title"], one["artist"]) for one in rows(tmp_path / "db")] == [("One", "A")]
    assert kinds.import_request(path, columns={"title": "Lied"})["columns"] == {"title": "Lied"}
    ended = await soulspot("import", path, "--columns", "title=Song", "--config", config)
    assert ended.code == 2
    assert "there is no column 'Song'; there are Lied, Wer" in ended.err
