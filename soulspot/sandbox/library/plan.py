"""The choice of files for a sample library: which recordings, in which formats, how well tagged."""

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
from soulspot.sandbox.library.styles import Style, TagStyler

_UNTIDY = (Style.NUMBERED, Style.GUEST, Style.CAPITALS, Style.TEXT, Style.LOWER)
# Each album takes the next styles; its tracks take them by turns.
_ALBUMS = (*((Style.ISRC,), (Style.IDS,), (Style.TEXT,), _UNTIDY), *((Style.SPOTIFY,), (Style.TEXT,), (Style.ISRC,)))
_ODD = (
    *(Style.MERGED, Style.WRONG, Style.MALFORMED, Style.SPOTIFY, Style.GUEST, Style.LONE, Style.NUMBERED),
    *(Style.CAPITALS, Style.DEAD_LINK, Style.ISRC, Style.LOWER, Style.SPOTIFY, Style.LONE, Style.GUEST),
)
_FEWEST = 12
_LONG_MS = 10 * 60_000  # longer files are no MP3s: silence in MP3 needs a kilobyte a second


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file still to be written; the fields without a comment are as in SampleFile."""

    path: PurePosixPath  # relative to the library
    kind: str
    tag_summary: str
    duration_ms: int = 0
    tags: TrackTags = field(default_factory=TrackTags)
    recording_mbid: str | None = None
    spotify_ids: tuple[str, ...] = ()
    content: bytes | None = None  # written instead of audio


def plan_every_recording(
    catalogue: Catalogue, style: Style = Style.IDS, *, suffix: str = ".mp3"
) -> Iterator[PlannedFile]:
    """Yield a file for each recording that stands on a release.

    A recording that tags of this `style` cannot tell gets MusicBrainz ids; `tag_summary` has it."""
    planner = _Planner(catalogue, Random(0))
    for number, recording in enumerate(catalogue.recordings):
        if places := catalogue.places(recording.mbid):
            path = PurePosixPath(f"{number // 1000:03d}", f"{number:06d}{suffix}")
            yield planner.file(recording, places[0], style, path, "album")


def plan_sample_library(catalogue: Catalogue, *, seed: int = 1, tracks: int = 150) -> list[PlannedFile]:
    """Return the files that `write_sample_library` writes, in the order of their paths.

    Raises ValueError for fewer than 12 tracks, or for more than the catalogue has."""
    if tracks < _FEWEST:
        raise ValueError(f"a sample library of {tracks} tracks: expected at least {_FEWEST}")
    planner = _Planner(catalogue, Random(seed))
    files = [*_unknown_files(planner.rng), *_broken_files(planner.rng)]
    # The rare kinds choose first: what they need is soon used up.
    files += planner.odd_files(tracks // 8)
    files += planner.compilation(tracks // 9)
    files += planner.singles(tracks // 10)
    files += planner.albums(tracks - len(files))
    files += planner.lone_files(tracks - len(files))
    if len(files) < tracks:
        raise ValueError(f"the catalogue has enough for {len(files)} of {tracks} tracks")
    return sorted(_with_distinct_paths(files), key=lambda file: file.path)


class _Planner:
    """The catalogue in random order, and what was taken from it so far."""

    def __init__(self, catalogue: Catalogue, rng: Random) -> None:
        self.catalogue, self.rng = catalogue, rng
        self.styler = TagStyler(catalogue)
        self.releases = rng.sample(catalogue.releases, len(catalogue.releases))
        self.recordings = rng.sample(catalogue.recordings, len(catalogue.recordings))
        self.formats = cycle(SILENCE)
        self.used: set[str] = set()  # MBIDs of recordings
        self.used_groups: set[str] = set()
        self.candidates: dict[Style, Iterator[Recording]] = {}  # the recordings each style has not seen

    def odd_files(self, most: int) -> Iterator[PlannedFile]:
        for style in _ODD[: max(0, most - 1)]:
            yield from self._pick(style)
        for track in self.catalogue.spotify_tracks if most else ():
            if track.recording_mbid is None and track.title:
                artist = ", ".join(artist.name for artist in track.artists)
                tags = TrackTags(title=track.title, artist=artist, ids=Identifiers(spotify_track_id=track.id))
                path = self._single_path(artist, track.title)
                summary = f"{Style.SPOTIFY}; MusicBrainz does not have it"
                yield PlannedFile(path, "single", summary, track.duration_ms, tags, None, (track.id,))
                return

    def lone_files(self, count: int) -> Iterator[PlannedFile]:
        styles = (Style.LONE, Style.ISRC, Style.TEXT, Style.SPOTIFY, Style.IDS)
        return islice((file for _ in self.recordings for style in styles for file in self._pick(style)), count)

    def _pick(self, style: Style) -> Iterator[PlannedFile]:
        for recording in self.candidates.setdefault(style, iter(self.recordings)):
            places = self.catalogue.places(recording.mbid)
            if recording.mbid in self.used or not places or _is_compilation(places[0].release):
                continue
            if self.styler.tags_for(recording, places[0], style)[1] is style:
                path = self._single_path(recording.artist, recording.title)
                yield self.file(recording, places[0], style, path, "single")
                return

    def _single_path(self, artist: str, title: str) -> PurePosixPath:
        return PurePosixPath("Singles", _safe(f"{artist} - {title}") + next(self.formats))

    def compilation(self, most: int) -> list[PlannedFile]:
        found = next((release for release in self.releases if _is_compilation(release)), None)
        return self._release(found, "compilation", (Style.TEXT, Style.ISRC))[:most] if found and most else []

    def singles(self, most: int) -> list[PlannedFile]:
        singles = [release for release in self.releases if release.primary_type == "Single"]
        singles.sort(key=lambda release: len(release.tracks) < 2)
        return self._releases(singles, "single", ((Style.ISRC,), (Style.IDS,), _UNTIDY), most)

    def albums(self, most: int) -> list[PlannedFile]:
        """Return up to `most` files of albums: a box first, other scripts and Latin in turn."""
        whole = [r for r in self.releases if r.primary_type != "Single" and len(r.tracks) > 3]
        whole = [release for release in whole if not _is_compilation(release)]
        boxes = [release for release in whole if len(release.media) > 1]
        plain = [release for release in whole if len(release.media) == 1]
        foreign = [release for release in plain if _is_foreign(release.artist)]
        latin = [release for release in plain if not _is_foreign(release.artist)]
        turns = [release for pair in zip_longest(foreign, latin) for release in pair if release]
        return self._releases((*boxes[:1], *turns, *boxes[1:]), "album", _ALBUMS, most)

    def _releases(
        self, releases: Iterable[Release], kind: str, styles: Sequence[Sequence[Style]], most: int
    ) -> list[PlannedFile]:
        """Return the files of these releases in order, `most` files in all; a release with too many
        files is passed over. Each release gets the next of `styles`. Of albums, one edition a
        release group."""
        next_styles = cycle(styles)
        files: list[PlannedFile] = []
        for release in releases:
            # A later edition of an album has the same recordings: only one edition is taken.
            is_new = kind != "album" or release.group_mbid not in self.used_groups
            if is_new and len(files) + len(release.tracks) <= most:
                files += self._release(release, kind, next(next_styles))
        return files

    def _release(self, release: Release, kind: str, styles: Sequence[Style]) -> list[PlannedFile]:
        self.used_groups.add(release.group_mbid)
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
                path = folder / (_safe(f"{disc}{track.position:02d} - {artist}{recording.title}") + suffix)
                files.append(self.file(recording, Place(release, medium, track), next(style), path, kind))
        return files

    def file(self, recording: Recording, place: Place, style: Style, path: PurePosixPath, kind: str) -> PlannedFile:
        """Plan a file of this recording, tagged in `style`, and note the recording as used. A very
        long MP3 becomes M4A."""
        self.used.add(recording.mbid)
        length = self._length(recording, place)
        if length > _LONG_MS and path.suffix == ".mp3":
            path = path.with_name(path.name.removesuffix(".mp3") + ".m4a")
        tags, style = self.styler.tags_for(recording, place, style, other=self._unlike(recording))
        return PlannedFile(path, kind, str(style), length, tags, recording.mbid, recording.spotify_ids)

    def _length(self, recording: Recording, place: Place) -> int:
        """Return a length in ms: the services' own, more or less the silence of rips."""
        tracks = [self.catalogue.spotify_track(spotify_id) for spotify_id in recording.spotify_ids]
        lengths = [place.track.duration_ms, recording.duration_ms, *(t.duration_ms for t in tracks if t)]
        length = next((length for length in lengths if length), 200_000)
        return max(1000, length + self.rng.randrange(-800, 801))

    def _unlike(self, recording: Recording) -> Recording:
        name, title = recording.credit[0].name, recording.title
        return next((o for o in self.recordings if o.credit[0].name != name and o.title != title), recording)


def _unknown_files(rng: Random) -> Iterator[PlannedFile]:
    isrc = ids.isrc(2019, "stranger")
    tape = TrackTags(title="Rehearsal Tape, Side Two", artist="The Unheard Of Quartet", album="Attic Recordings")
    song = TrackTags(title="Grandmother Sings", artist="Nobody You Know", ids=Identifiers(isrcs=(isrc,)))
    for suffix, tags, style, lengths in (
        (".mp3", tape, Style.TEXT, (150_000, 250_000)),
        (".flac", song, Style.ISRC, (60_000, 90_000)),
    ):
        path = PurePosixPath("Unsorted", f"{tags.title}{suffix}")
        yield PlannedFile(path, "not in catalogue", str(style), rng.randrange(*lengths), tags)


def _broken_files(rng: Random) -> Iterator[PlannedFile]:
    path = PurePosixPath("Unsorted", "download (1).flac")
    yield PlannedFile(path, "broken", "cut off in the header", content=silent_flac(3000, 3000)[:20])
    # no byte of the garbage can begin an MPEG frame
    garbage = bytes(rng.randrange(0x80) for _ in range(3000))
    yield PlannedFile(PurePosixPath("Unsorted", "track07.mp3"), "broken", "garbage", content=garbage)


def _with_distinct_paths(files: Iterable[PlannedFile]) -> Iterator[PlannedFile]:
    """Yield the files, numbering those of one name: some file systems do not tell case apart."""
    taken: set[str] = set()
    for file in files:
        path, n = file.path, 2
        while str(path).casefold() in taken:
            path, n = file.path.with_name(f"{file.path.stem} ({n}){file.path.suffix}"), n + 1
        taken.add(str(path).casefold())
        yield replace(file, path=path)


def _is_compilation(release: Release) -> bool:
    return "Compilation" in release.secondary_types


def _is_foreign(text: str) -> bool:
    return any(c.isalpha() and ord(c) > 0x24F for c in text)


def _safe(name: str) -> str:
    """Return a name that every file system takes: no separators, at most 120 bytes."""
    kept = "".join("_" if c in '/\\:*?"<>|' else c for c in name if c.isprintable())
    return kept.encode()[:120].decode(errors="ignore").strip(" .") or "Untitled"
