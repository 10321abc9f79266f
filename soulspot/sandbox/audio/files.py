"""Real audio files of silence: of a stated length, tagged as Picard tags."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from soulspot.models import TrackTags
from soulspot.sandbox.audio.ogg import silent_opus, silent_vorbis
from soulspot.sandbox.audio.silence import silent_flac, silent_m4a, silent_mp3
from soulspot.sandbox.audio.tags import add_tags

# Suffix -> a function of the length to state and the length to store, in ms, that returns a file.
SILENCE: Final[dict[str, Callable[[int, int], bytes]]] = {
    ".mp3": silent_mp3, ".flac": silent_flac, ".ogg": silent_vorbis, ".opus": silent_opus, ".m4a": silent_m4a
}  # fmt: skip
_HEADER_ONLY_MS = 100


def write_audio(
    path: Path, duration_ms: int, tags: TrackTags, *, comment: str | None = None, header_only: bool = False
) -> None:
    """Write a playable file of silence in the format that the suffix of `path` names.

    Tags are written as they are: a malformed id stays malformed. A Spotify id goes into the comment
    as a URL, unless `comment` gives another text. ID3 has room for the first recording id alone.
    With `header_only` the file states the whole length but holds frames for a tenth of a second.
    Equal arguments give equal bytes. Raises ValueError for another suffix or a length below 1."""
    suffix = path.suffix.lower()
    if suffix not in SILENCE:
        raise ValueError(f"{path.name}: expected one of {', '.join(SILENCE)}")
    if duration_ms < 1:
        raise ValueError(f"{path.name}: a length of {duration_ms} ms, expected at least 1")
    stored_ms = min(duration_ms, _HEADER_ONLY_MS) if header_only else duration_ms
    path.write_bytes(add_tags(suffix, SILENCE[suffix](duration_ms, stored_ms), tags, comment))
