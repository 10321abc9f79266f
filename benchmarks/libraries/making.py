"""Files of recordings: tags in one person's habits, lengths of rips, folders good and bad."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import PurePosixPath
from random import Random

from benchmarks.libraries.filing import (
    album_artist_as_filed,
    album_as_filed,
    album_folder,
    heard,
    is_various,
    safe,
    shelf,
    version_in_words,
)
from benchmarks.libraries.truth import Labelled, Said, Truth, hidden_version, title_version
from benchmarks.libraries.untidy import Habits, slip
from soulspot.models import Identifiers, TrackTags
from soulspot.sandbox import Catalogue, Place, Recording, Release
from soulspot.sandbox.audio.files import SILENCE
from soulspot.sandbox.audio.silence import silent_flac
from soulspot.sandbox.audio.tags import add_tags
from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.library.sample import PlannedFile


@dataclass(frozen=True, slots=True)
class Carried:
    """The identifiers in a file. `sure`: a service knows one of them as this recording's alone."""

    ids: Identifiers = field(default_factory=Identifiers)
    sure: bool = False
    traits: tuple[str, ...] = ()


Carry = Callable[[Recording, Place], Carried]


def nothing(recording: Recording, place: Place) -> Carried:
    """Return no identifiers."""
    return Carried()


class Maker:
    """Makes files of the recordings of a catalogue, a recording once but on compilations."""

    def __init__(self, catalogue: Catalogue, rng: Random) -> None:
        self.catalogue, self.rng = catalogue, rng
        self.truth = Truth(catalogue)
        self._releases = iter(rng.sample(catalogue.releases, len(catalogue.releases)))
        self._recordings = iter(rng.sample(catalogue.recordings, len(catalogue.recordings)))
        self._groups: set[str] = set()
        self._taken: set[str] = set()
        self._paths: set[str] = set()
        self._formats = cycle(SILENCE)

    def albums(self, count: int, carry: Carry = nothing, *, tidy: bool = False) -> list[Labelled]:
        """Return `count` files in albums of four tracks and more, most of the albums whole."""
        files: list[Labelled] = []
        for release in self._releases:
            if release.group_mbid in self._groups or len(release.tracks) < 4:
                continue
            self._groups.add(release.group_mbid)
            files += self.album(release, carry, tidy=tidy)
            if len(files) >= count:
                return files[:count]
        raise ValueError(f"the catalogue has albums for {len(files)} of {count} files")

    def loose(self, count: int, carry: Carry = nothing) -> list[Labelled]:
        """Return `count` unrelated files, a few to a folder."""
        files: list[Labelled] = []
        folder = PurePosixPath()
        for recording in self._recordings:
            places = self.catalogue.places(recording.mbid)
            if recording.mbid in self._taken or recording.video or not places or is_blank(recording):
                continue
            if self.rng.random() < 0.25 or not files:
                folder = shelf(self.rng)
            files.append(self.single(recording, self.rng.choice(places), folder, carry))
            if len(files) == count:
                return files
        raise ValueError(f"the catalogue has enough for {len(files)} of {count} files")

    def album(self, release: Release, carry: Carry, *, tidy: bool = False) -> list[Labelled]:
        """Return the tracks of a release in one person's habits, with slips of the pen."""
        rng, habits = self.rng, Habits.choose(self.rng)
        suffix = next(self._formats)
        various = is_various(release)
        album = release.title if tidy else album_as_filed(rng, habits, release)
        album_artist: str | None = release.artist if tidy else album_artist_as_filed(rng, habits, release)
        numbers, years = tidy or rng.random() < 0.9, tidy or rng.random() < 0.75
        discs, helpful = rng.random() < 0.5 and len(release.media) > 1, tidy or rng.random() < 0.8
        keep = 1.0 if tidy or rng.random() < 0.7 else rng.uniform(0.4, 0.9)
        root = album_folder(rng, habits, release) if helpful else shelf(rng)
        files = []
        for medium in release.media:
            for track in medium.tracks:
                recording = self.catalogue.recording(track.recording_mbid)
                if recording is None or recording.video or rng.random() > keep:
                    continue
                place = Place(release, medium, track)
                worn = self._dressed(recording, place, habits, tidy=tidy, tell_version=False)
                tags = replace(
                    worn.tags, album=album, album_artist=album_artist,
                    track_number=track.position if numbers else None,
                    track_total=len(medium.tracks) if tidy and numbers else None,
                    disc_number=medium.position if numbers and (tidy or len(release.media) > 1) else None,
                    date=(release.date or None) if years else None, compilation=various and rng.random() < 0.5,
                )  # fmt: skip
                folder = root / f"CD{medium.position}" if discs else root
                disc = f"{medium.position}-" if len(release.media) > 1 and not discs else ""
                number = f"{disc}{track.position:02d}"
                name = f"{number} - {tags.title}" if helpful else f"Track {number}"
                traits = worn.traits if numbers else (*worn.traits, "no track number")
                said = replace(worn.said, album=release.title)
                files.append(self._file(folder, name, suffix, tags, recording, said, traits, carry(recording, place)))
        return files

    def single(self, recording: Recording, place: Place, folder: PurePosixPath, carry: Carry) -> Labelled:
        """Return one loose file: little but title and artist, in a folder that says nothing."""
        rng, habits = self.rng, Habits.choose(self.rng)
        has_album = rng.random() < 0.4
        worn = self._dressed(recording, place, habits, tidy=False, tell_version=not has_album)
        tags, traits = worn.tags, worn.traits
        if has_album:
            tags = replace(tags, album=album_as_filed(rng, habits, place.release))
        else:
            traits = (*traits, "no album")
        tags = replace(
            tags,
            album_artist=album_artist_as_filed(rng, habits, place.release) if rng.random() < 0.3 else None,
            track_number=place.track.position if has_album and rng.random() < 0.6 else None,
            date=place.release.date[:4] or None if rng.random() < 0.4 else None,
        )
        full = f"{tags.artist} - {tags.title}" if tags.artist else f"{tags.title}"
        name = rng.choice((full, f"{tags.title}", f"track{rng.randrange(9999):04d}"))
        if rng.random() < 0.02 and tags.artist:  # never tagged: the file's name is all there is
            name, traits = full, (*traits, "name only")
            tags = TrackTags(duration_ms=tags.duration_ms)
        said = replace(worn.said, album=place.release.title if tags.album else None)
        return self._file(folder, name, next(self._formats), tags, recording, said, traits, carry(recording, place))

    def _dressed(
        self, recording: Recording, place: Place, habits: Habits, *, tidy: bool, tell_version: bool
    ) -> _Dressed:
        """Return title, artist and length as a file says them.

        With `tell_version` the title names a version that only a comment on MusicBrainz tells."""
        rng = self.rng
        self._taken.add(recording.mbid)
        length, traits = heard(rng, self._true_ms(recording, place))
        version, detail = title_version(recording.title), ""
        if tidy:
            tags = TrackTags(title=recording.title, artist=recording.artist, duration_ms=length)
            return _Dressed(tags, Said(version, detail, None, length), tuple(traits))
        title, artist, more = habits.names(recording)
        traits += more
        if rng.random() < 0.03:
            if rng.random() < 0.6:
                title = slip(rng, title)
            else:
                artist = slip(rng, artist)
            traits.append("slip")
        if tell_version and (told := version_in_words(rng, recording)):
            phrase, detail = told
            title, version = title + phrase, version | hidden_version(recording)
        elif habits.suffix and not self._has_other_editions(recording):
            title += habits.suffix
            traits.append("suffix")
        title, artist = habits.spell(title), habits.spell(artist)
        said_artist: str | None = artist
        if rng.random() < 0.05:
            traits.append("artist in title")
            title = f"{artist} - {title}"
            said_artist = artist if rng.random() < 0.5 else None
        if habits.numbered and rng.random() < 0.9:
            traits.append("number in title")
            title = habits.numbered.format(n=place.track.position) + title
        tags = TrackTags(title=title, artist=said_artist, duration_ms=length)
        return _Dressed(tags, Said(version, detail, None, length), tuple(traits))

    def _has_other_editions(self, recording: Recording) -> bool:
        """Whether "(2009 Remaster)" or "(Album Version)" would name another recording."""
        plain = not title_version(recording.title) and not hidden_version(recording)
        others = self.truth.namesakes(recording.title, recording.credit[0].name)
        kinds = {kind for other in others for kind in hidden_version(other)}
        return not plain or bool(kinds & {"remaster", "rerecording"})

    def _true_ms(self, recording: Recording, place: Place) -> int:
        """Return the true length: that of MusicBrainz, else that of Spotify."""
        tracks = [self.catalogue.spotify_track(one) for one in recording.spotify_ids]
        known = [place.track.duration_ms, recording.duration_ms, *(t.duration_ms for t in tracks if t)]
        return next((length for length in known if length), 120_000 + ids.number(recording.mbid) % 180_000)

    def _file(
        self, folder: PurePosixPath, name: str, suffix: str, tags: TrackTags, recording: Recording, said: Said,
        traits: Iterable[str], carried: Carried,
    ) -> Labelled:  # fmt: skip
        tags = replace(tags, ids=carried.ids)
        planned = self.plan(folder, name, suffix, tags)
        planned = replace(planned, recording_mbid=recording.mbid, spotify_ids=recording.spotify_ids)
        twins, findable = self.truth.judge(recording, replace(said, sure=carried.sure))
        if is_blank(recording) and not carried.sure and not (tags.album and tags.track_number):
            findable = False
        return Labelled(planned, recording, twins, findable, (*traits, *carried.traits))

    def plan(self, folder: PurePosixPath, name: str, suffix: str, tags: TrackTags) -> PlannedFile:
        """Return a file with these tags under a free name; without a length its header states
        none."""
        content = None
        if tags.duration_ms is None:  # of the formats we write, only FLAC can leave its length open
            suffix, content = ".flac", add_tags(".flac", silent_flac(0, 100), tags, None)
        stem, n = safe(name), 2
        while str(folder / stem).casefold() in self._paths:
            stem, n = f"{safe(name)} ({n})", n + 1
        self._paths.add(str(folder / stem).casefold())
        return PlannedFile(folder / (stem + suffix), "", "", tags.duration_ms or 0, tags, content=content)


def is_blank(recording: Recording) -> bool:
    """Whether the recording has no title to search for."""
    return recording.title == "[untitled]"


def below(folder: str, files: Iterable[Labelled]) -> list[Labelled]:
    """Return the files one folder deeper."""
    return [replace(f, file=replace(f.file, path=PurePosixPath(folder, f.file.path))) for f in files]


@dataclass(frozen=True, slots=True)
class _Dressed:
    tags: TrackTags
    said: Said
    traits: tuple[str, ...]
