"""The canonical dump of an invented catalogue: names alone, as MetaBrainz publishes them."""

import csv
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import zstandard

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.text import fold

NAME = "musicbrainz-canonical-dump-20261115-080003"
COLUMNS = (
    "id", "artist_credit_id", "artist_mbids", "artist_credit_name", "release_mbid", "release_name", "recording_mbid",
    "recording_name", "combined_lookup", "score",
)  # fmt: skip


def write_canonical_dump(catalogue: Catalogue, folder: Path) -> Path:
    """Write the archive into the folder; return its path. A recording without a release is left
    out, as in the real dump."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}.tar.zst"
    members = {
        "canonical_musicbrainz_data.csv": _data(catalogue),
        "canonical_recording_redirect.csv": _table(
            ("recording_mbid", "canonical_recording_mbid", "canonical_release_mbid"), []
        ),
        "canonical_release_redirect.csv": _table(
            ("release_mbid", "canonical_release_mbid", "release_group_mbid"),
            [(one.mbid, one.mbid, one.group_mbid) for one in catalogue.releases],
        ),
    }
    with (
        path.open("wb") as file,
        zstandard.ZstdCompressor().stream_writer(file) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for name, text in members.items():
            content = text.encode()
            member = tarfile.TarInfo(f"{NAME}/canonical/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def _data(catalogue: Catalogue) -> str:
    rows = []
    credits: dict[tuple[str, ...], int] = {}
    for number, one in enumerate(catalogue.recordings, 1):
        places = catalogue.places(one.mbid)
        if not places:
            continue
        release = places[0].release
        artists = tuple(part.artist.mbid for part in one.credit)
        credit = credits.setdefault((one.artist, *artists), len(credits) + 1)
        lookup = fold(one.artist + one.title).replace(" ", "")
        score = ids.number("score", release.mbid) % 1_000_000
        rows.append(
            (number, credit, ",".join(artists), one.artist, release.mbid, release.title, one.mbid, one.title, lookup, score)
        )  # fmt: skip
    return _table(COLUMNS, rows)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
