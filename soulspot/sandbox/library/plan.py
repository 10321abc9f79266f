"""Chooses from a catalogue what the sample library has: which recordings, in which files, how well tagged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice, zip_longest
from pathlib import PurePosixPath
from random import Random

from soulspot.models import Identifiers, TrackTags
from soulspot.sandbox.audio.files import SILENCE
from soulspot.sandbox.audio.silence import silent_flac
from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue, Place, Recording, Release
from soulspot.sandbox.library.tags import Style, Wardrobe

_UNTIDY = (Style.NUMBERED, Style.GUEST, Style.CAPITALS, Style.TEXT, Style.LOWER)
_ALBUMS = (
    (Style.ISRC,),
    (Style.IDS,),
    (Style.TEXT,),
    _UNTIDY,
    (Style.SPOTIFY,),
    (Style.TEXT,),
    (Style.ISRC,),
)
_ODD = (
    *(Style.MERGED, Style.WRONG, Style.MALFORMED, Style.SPOTIFY, Style.GUEST, Style.LONE, Style.NUMBERED),
    *(Style.CAPITALS, Style.DEAD_LINK, Style.ISRC, Style.LOWER, Style.SPOTIFY, Style.LONE, Style.GUEST),
)
_FEWEST = 12
_LONG_MS = 10 * 60_000  # an MP3 of silence needs a kilobyte a second


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file still to be written, its path relative to the library; the rest as in SampleFile.

    `content`, where it is set, is written instead of audio."""

    path: PurePosixPath
    kind: str
    tag_summary: str
    duration_ms: int = 0
    tags: TrackTags = field(default_factory=TrackTags)
    recording_mbid: str | None = None
    spotify_ids: tuple[str, ...] = ()
    content: bytes | None = None


def plan_every_recording(
    catalogue: Catalogue, style: Style = Style.IDS, *, suffix: str = ".mp3"
) -> Iterator[PlannedFile]:
    """One file for each recording that stands on a release, in the catalogue's order: a library of any size.

    A recording that cannot be told by tags of this `style` gets MusicBrainz ids; `tag_summary` says so."""
    shelf = _Shelf(catalogue, Random(0))
    for number, recording in enumerate(catalogue.recordings):
        if places := catalogue.places(recording.mbid):
            path = PurePosixPath(f"{number // 1000:03d}", f"{number:06d}{suffix}")
            yield shelf.file(recording, places[0], style, path, "album")


def plan_sample_library(catalogue: Catalogue, *, seed: int = 1, tracks: int = 150) -> list[PlannedFile]:
    """What write_sample_library writes, without writing it."""
    if tracks < _FEWEST:
        raise ValueError(f"a sample library of {tracks} tracks: expected at least {_FEWEST}")
    shelf = _Shelf(catalogue, Random(seed))
    files = [*_strangers(shelf.rng), *_broken(shelf.rng)]
    files += shelf.odd_ones(tracks // 8)
    files += shelf.compilation(tracks // 9)
    files += shelf.singles(tracks // 10)
    files += shelf.albums(tracks - len(files))
    files += shelf.lone(tracks - len(files))
    if len(files) < tracks:
        raise ValueError(f"the catalogue has enough for {len(files)} of {tracks} tracks")
    return sorted(_apart(files), key=lambda file: file.path)


class _Shelf:
    """The catalogue, shuffled, and what was taken from it so far."""

    def __init__(self, catalogue: Catalogue, rng: Random) -> None:
        self.catalogue, self.rng = catalogue, rng
        self.wardrobe = Wardrobe(catalogue)
        self.releases = rng.sample(catalogue.releases, len(catalogue.releases))
        self.recordings = rng.sample(catalogue.recordings, len(catalogue.recordings))
        self.formats = cycle(SILENCE)
        self.used: set[str] = set()
        self.walks: dict[Style, Iterator[Recording]] = {}
        self.groups: set[str] = set()

    def odd_ones(self, most: int) -> Iterator[PlannedFile]:
        """One file each of the awkward kinds, as far as the catalogue has them, and one only Spotify has."""
        for style in _ODD[: max(0, most - 1)]:
            yield from self._pick(style)
        for track in self.catalogue.spotify_tracks if most else ():
            if track.recording_mbid is None and track.title:
                artist = ", ".join(artist.name for artist in track.artists)
                tags = TrackTags(title=track.title, artist=artist, ids=Identifiers(spotify_track_id=track.id))
                path = PurePosixPath("Singles", _file_name(f"{artist} - {track.title}", next(self.formats)))
                what = f"{Style.SPOTIFY}; MusicBrainz does not have it"
                yield PlannedFile(path, "single", what, track.duration_ms, tags, None, (track.id,))
                return

    def lone(self, count: int) -> Iterator[PlannedFile]:
        """Files without the rest of their album, to fill up with."""
        styles = (Style.LONE, Style.ISRC, Style.TEXT, Style.SPOTIFY, Style.IDS)
        found = (file for _ in self.recordings for style in styles for file in self._pick(style))
        return islice(found, count)

    def _pick(self, style: Style) -> Iterator[PlannedFile]:
        """The next unused recording that can be tagged in this style, as a lone file, if there is one."""
        for recording in self.walks.setdefault(style, iter(self.recordings)):
            places = self.catalogue.places(recording.mbid)
            if recording.mbid in self.used or not places or _various(places[0].release):
                continue
            if self.wardrobe.dress(recording, places[0], style).style is style:
                name = f"{recording.artist} - {recording.title}"
                path = PurePosixPath("Singles", _file_name(name, next(self.formats)))
                yield self.file(recording, places[0], style, path, "single")
                return

    def compilation(self, most: int) -> list[PlannedFile]:
        """One album of various artists."""
        found = next((release for release in self.releases if _various(release)), None)
        return self._release(found, "compilation", (Style.TEXT, Style.ISRC))[:most] if found and most else []

    def singles(self, most: int) -> list[PlannedFile]:
        """Whole singles, those with several tracks first."""
        singles = [release for release in self.releases if release.primary_type == "Single"]
        styles = cycle(((Style.ISRC,), (Style.IDS,), _UNTIDY))
        files: list[PlannedFile] = []
        for release in sorted(singles, key=lambda release: len(release.tracks) < 2):
            if len(files) + len(release.tracks) <= most:
                files += self._release(release, "single", next(styles))
        return files

    def albums(self, most: int) -> list[PlannedFile]:
        """Whole albums: one of several discs, then by turns one in another script, one in Latin letters."""
        whole = [
            r for r in self.releases if r.primary_type != "Single" and len(r.tracks) > 3 and not _various(r)
        ]
        boxes = [release for release in whole if len(release.media) > 1]
        plain = [release for release in whole if len(release.media) == 1]
        foreign = [release for release in plain if _other_script(release.artist)]
        latin = [release for release in plain if not _other_script(release.artist)]
        turns = [release for pair in zip_longest(foreign, latin) for release in pair if release]
        styles = cycle(_ALBUMS)
        files: list[PlannedFile] = []
        for release in (*boxes[:1], *turns, *boxes[1:]):
            if len(files) + len(release.tracks) <= most and release.group_mbid not in self.groups:
                files += self._release(release, "album", next(styles))
        return files

    def _release(self, release: Release, kind: str, styles: Sequence[Style]) -> list[PlannedFile]:
        """Every track of a release in one format, tagged in these styles by turns."""
        self.groups.add(release.group_mbid)
        suffix, style = next(self.formats), cycle(styles)
        year = f" ({release.date[:4]})" if release.date else ""
        folder = PurePosixPath(_safe(release.artist), _safe(release.title + year))
        files = []
        for medium in release.media:
            for track in medium.tracks:
                recording = self.catalogue.recording(track.recording_mbid)
                if recording is None:
                    continue
                disc = f"{medium.position}-" if len(release.media) > 1 else ""
                artist = f"{recording.artist} - " if kind == "compilation" else ""
                name = f"{disc}{track.position:02d} - {artist}{recording.title}"
                place = Place(release, medium, track)
                files.append(
                    self.file(recording, place, next(style), folder / _file_name(name, suffix), kind)
                )
        return files

    def file(
        self, recording: Recording, place: Place, style: Style, path: PurePosixPath, kind: str
    ) -> PlannedFile:
        """One recording as a file; a very long one never as an MP3."""
        self.used.add(recording.mbid)
        length = self._length(recording, place)
        if length > _LONG_MS and path.suffix == ".mp3":
            path = path.with_name(path.name.removesuffix(".mp3") + ".m4a")
        dressed = self.wardrobe.dress(recording, place, style, other=self._stranger_to(recording))
        return PlannedFile(
            path, kind, str(dressed.style), length, dressed.tags, recording.mbid, recording.spotify_ids
        )

    def _length(self, recording: Recording, place: Place) -> int:
        """As the service knows it, give or take the silence that rips differ by, in ms."""
        tracks = [self.catalogue.spotify_track(spotify_id) for spotify_id in recording.spotify_ids]
        lengths = [place.track.duration_ms, recording.duration_ms, *(t.duration_ms for t in tracks if t)]
        length = next((length for length in lengths if length), 200_000)
        return max(1000, length + self.rng.randrange(-800, 801))

    def _stranger_to(self, recording: Recording) -> Recording:
        """Somebody else's recording of another name, whose id a file may carry by mistake."""
        for other in self.recordings:
            if other.credit[0].name != recording.credit[0].name and other.title != recording.title:
                return other
        return recording


def _strangers(rng: Random) -> Iterator[PlannedFile]:
    """Two good files that no service knows."""
    tags = TrackTags(
        title="Rehearsal Tape, Side Two", artist="The Unheard Of Quartet", album="Attic Recordings"
    )
    path = PurePosixPath("Unsorted", "Rehearsal Tape, Side Two.mp3")
    yield PlannedFile(path, "not in catalogue", str(Style.TEXT), rng.randrange(150_000, 250_000), tags)
    tags = TrackTags(title="Grandmother Sings", artist="Nobody You Know")
    tags = TrackTags(
        title=tags.title, artist=tags.artist, ids=Identifiers(isrcs=(ids.isrc(2019, "stranger"),))
    )
    path = PurePosixPath("Unsorted", "Grandmother Sings.flac")
    yield PlannedFile(path, "not in catalogue", str(Style.ISRC), rng.randrange(60_000, 90_000), tags)


def _broken(rng: Random) -> Iterator[PlannedFile]:
    """A download that stopped within the first header, and bytes that are no audio at all."""
    path = PurePosixPath("Unsorted", "download (1).flac")
    yield PlannedFile(path, "broken", "cut off in the header", content=silent_flac(3000, 3000)[:20])
    garbage = bytes(rng.randrange(0x80) for _ in range(3000))  # no byte of it can begin an MPEG frame
    yield PlannedFile(PurePosixPath("Unsorted", "track07.mp3"), "broken", "garbage", content=garbage)


def _apart(files: Iterable[PlannedFile]) -> Iterator[PlannedFile]:
    """Two files of one name (seen without case, as some file systems do) get numbers."""
    taken: set[str] = set()
    for file in files:
        path, n = file.path, 2
        while str(path).casefold() in taken:
            path, n = file.path.with_name(f"{file.path.stem} ({n}){file.path.suffix}"), n + 1
        taken.add(str(path).casefold())
        yield replace(file, path=path)


def _various(release: Release) -> bool:
    return "Compilation" in release.secondary_types


def _other_script(text: str) -> bool:
    return any(c.isalpha() and ord(c) > 0x24F for c in text)


def _file_name(name: str, suffix: str) -> str:
    assert suffix in SILENCE
    return _safe(name) + suffix


def _safe(name: str) -> str:
    """A name that every file system takes: no separators, nothing unprintable, at most 120 bytes."""
    kept = "".join("_" if c in '/\\:*?"<>|' else c for c in name if c.isprintable())
    return kept.encode()[:120].decode(errors="ignore").strip(" .") or "Untitled"
