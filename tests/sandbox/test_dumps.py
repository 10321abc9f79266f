"""Dumps of the sandbox have MusicBrainz' form, and hold together however much is made up."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from soulspot.sandbox import Catalogue, invent_catalogue
from soulspot.sandbox.dumps import write_core_dump

Rows = dict[str, list[list[str]]]
# Columns of each table in schema 31, as musicbrainz-server's CreateTables.sql has them.
COLUMNS = {
    "recording": 9, "recording_gid_redirect": 3, "release_gid_redirect": 3, "release_group_gid_redirect": 3, "isrc": 5,
    "artist_credit": 7, "artist_credit_name": 5, "artist": 19, "artist_alias": 16, "release": 14, "release_group": 8,
    "release_group_secondary_type_join": 3, "release_status": 6, "release_group_primary_type": 6,
    "release_group_secondary_type": 6, "medium": 9, "track": 12, "release_country": 5, "release_unknown_country": 4,
    "release_label": 5, "label": 16, "release_group_meta": 7, "recording_first_release_date": 4,
    "release_first_release_date": 4, "recording_tag": 4, "release_group_tag": 4, "tag": 3, "genre": 6, "url": 5,
    "l_recording_url": 9, "l_release_url": 9,
}  # fmt: skip
# (table, column) -> the table whose id stands there
REFERENCES = {
    ("recording", 3): "artist_credit", ("recording_gid_redirect", 1): "recording", ("isrc", 1): "recording",
    ("artist_credit_name", 0): "artist_credit", ("artist_credit_name", 2): "artist", ("artist_alias", 1): "artist",
    ("release", 3): "artist_credit", ("release", 4): "release_group", ("release", 5): "release_status",
    ("release_group", 3): "artist_credit", ("release_group", 4): "release_group_primary_type",
    ("release_group_secondary_type_join", 0): "release_group",
    ("release_group_secondary_type_join", 1): "release_group_secondary_type", ("medium", 1): "release",
    ("track", 2): "recording", ("track", 3): "medium", ("track", 7): "artist_credit", ("release_country", 0): "release",
    ("release_label", 1): "release", ("release_label", 2): "label", ("release_group_meta", 0): "release_group",
    ("recording_first_release_date", 0): "recording", ("release_first_release_date", 0): "release",
    ("recording_tag", 0): "recording", ("recording_tag", 1): "tag", ("release_group_tag", 1): "tag",
    ("l_recording_url", 2): "recording", ("l_recording_url", 3): "url", ("l_release_url", 2): "release",
}  # fmt: skip
# columns whose values are no two rows': ids, and MBIDs
IDENTIFIED = {
    "recording": (0, 1), "artist": (0, 1), "artist_credit": (0, 6), "release": (0, 1), "release_group": (0, 1),
    "medium": (0, 8), "track": (0, 1), "isrc": (0,), "recording_gid_redirect": (0,),
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Catalogue:
    return invent_catalogue(seed=4, tracks=200)


@pytest.fixture(scope="module")
def crowded(world: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return rows_of(*write_core_dump(world, tmp_path_factory.mktemp("dump"), level=1, further=60_000))


def rows_of(*archives: Path) -> Rows:
    """Return the rows of all tables, cells as they are escaped."""
    found: Rows = {}
    for path in archives:
        with tarfile.open(path) as archive:
            for member in archive:
                folder, _, table = member.name.rpartition("/")
                if folder == "mbdump":
                    text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                    found[table] = [line.split("\t") for line in text.split("\n")[:-1]]
    return found


def test_every_table_has_the_columns_of_schema_31(crowded: Rows) -> None:
    assert COLUMNS.keys() <= crowded.keys()
    for table, count in COLUMNS.items():
        assert {len(row) for row in crowded[table]} <= {count}, table


def test_made_up_rows_and_the_catalogues_refer_only_to_rows_that_exist(crowded: Rows) -> None:
    known = {table: {row[0] for row in rows} for table, rows in crowded.items()}
    for (table, column), target in REFERENCES.items():
        assert {row[column] for row in crowded[table]} <= known[target] | {"\\N"}, (table, column)
    for table, columns in IDENTIFIED.items():
        for column in columns:
            values = [row[column] for row in crowded[table]]
            assert len(set(values)) == len(values), (table, column)


def test_a_catalogue_stays_the_same_among_made_up_rows(world: Catalogue, tmp_path: Path, crowded: Rows) -> None:
    alone = rows_of(*write_core_dump(world, tmp_path, level=1))
    for table in ("recording", "track", "artist_credit_name", "isrc", "release", "l_recording_url"):
        assert crowded[table][: len(alone[table])] == alone[table]


def test_made_up_music_is_as_crowded_as_the_real(world: Catalogue, crowded: Rows) -> None:
    made_up = crowded["recording"][-60_000:]
    titles = Counter(row[2] for row in made_up)
    assert titles["Intro"] > 50
    assert 20_000 < len(titles) < 55_000
    assert 0.3 < (len(crowded["isrc"]) - len(world.recordings)) / 60_000 < 0.4
    assert 1.3 < len(crowded["track"]) / len(crowded["recording"]) < 1.5
    # one artist has a title more than once: in the studio, live, and again
    by_artist = Counter((row[3], row[2].removesuffix(" (live)")) for row in made_up)
    assert sum(count > 1 for count in by_artist.values()) > 2000
    assert {"(live)", "remix)", "(feat."} <= {word for title in titles for word in title.split()}
    assert any("а" <= letter <= "я" for title in titles for letter in title)


def test_the_same_seed_makes_up_the_same_music_and_another_seed_other(world: Catalogue, tmp_path: Path) -> None:
    one, again, other = (
        write_core_dump(world, tmp_path / name, level=0, further=2000, seed=seed)[0].read_bytes()
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    )
    assert one == again
    assert one != other


def test_the_command_writes_dumps_where_the_real_ones_lie_with_sums_that_fit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "soulspot.sandbox", "dumps", "--out", str(tmp_path), "--tracks", "40"]
    done = subprocess.run([*command, "--further", "500"], capture_output=True, text=True, check=True)
    assert "500 of 500 further recordings" in done.stderr
    listed = [Path(line) for line in done.stdout.splitlines()]
    assert [one.name[:6] for one in listed] == ["mbdump", "mbdump", "musicb"]
    for place in (tmp_path / "fullexport", tmp_path / "canonical_data"):
        newest = place / (place / "LATEST").read_text().strip()
        for name, program in (("MD5SUMS", "md5sum"), ("SHA256SUMS", "sha256sum")):
            subprocess.run([program, "--check", "--quiet", "--strict", name], cwd=newest, check=True)
            assert len((newest / name).read_text().splitlines()) == sum(one.parent == newest for one in listed)
