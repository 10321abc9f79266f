"""A sample library for the demo and the tests: tagged audio files, and the truth about each."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from soulspot.sandbox.audio.files import write_audio
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.library.plan import PlannedFile, plan_every_recording, plan_sample_library
from soulspot.sandbox.library.styles import Style

__all__ = [
    "PlannedFile", "SampleFile", "Style", "plan_every_recording", "plan_sample_library", "write_library",
    "write_sample_library",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleFile:
    """The truth about one file. Nothing in the catalogue: no recording_mbid and spotify_ids."""

    path: Path
    recording_mbid: str | None
    spotify_ids: tuple[str, ...]  # every acceptable id
    kind: str  # "album", "single", "compilation", "broken" or "not in catalogue"
    tag_summary: str  # the tags in words


def write_sample_library(catalogue: Catalogue, folder: Path, *, seed: int = 1, tracks: int = 150) -> list[SampleFile]:
    """Write `tracks` files: albums, singles, a compilation, lone, unknown and broken files.

    The same arguments give the same files, byte for byte; a person could tell each recording from
    its tags. Raises ValueError for fewer than 12 tracks, or for more than the catalogue has."""
    return write_library(plan_sample_library(catalogue, seed=seed, tracks=tracks), folder)


def write_library(files: Iterable[PlannedFile], folder: Path, *, header_only: bool = False) -> list[SampleFile]:
    """Write planned files below `folder`, which is made where it is missing.

    With `header_only` the files state their whole length but hold a tenth of a second."""
    written = []
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.content is None:
            write_audio(path, file.duration_ms, file.tags, header_only=header_only)
        else:
            path.write_bytes(file.content)
        written.append(SampleFile(path, file.recording_mbid, file.spotify_ids, file.kind, file.tag_summary))
    return written
