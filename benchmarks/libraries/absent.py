"""Files whose recording the catalogue lacks: strangers, and near misses of songs that it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from random import Random

from benchmarks.libraries.making import Maker, below, is_blank
from benchmarks.libraries.truth import Labelled, hidden_version, title_version
from soulspot.models import Identifiers, TrackTags
from soulspot.sandbox import Catalogue, Recording, invent_catalogue
from soulspot.sandbox.catalogue import words

_STUDIO_LIKE = (
    ("instrumental", " (Instrumental)", 0), ("acoustic", " (Acoustic)", 5), ("acoustic", " - Acoustic Version", 8),
    ("demo", " (Demo)", 6), ("a cappella", " (A Cappella)", 0), ("sped up", " (Sped Up)", -30),
    ("sped up", " (Nightcore)", -30), ("slowed", " (slowed + reverb)", 30), ("8d", " (8D Audio)", 0),
    ("extended", " (Extended Mix)", 90), ("edit", " (Radio Edit)", -35), ("orchestral", " (Orchestral Version)", 12),
    ("language", " (Spanish Version)", 1), ("piano", " (Piano Version)", 5), ("reprise", " (Reprise)", -90),
    ("rerecording", " (Re-Recorded)", 2), ("rerecording", " (2019 Re-recorded Version)", 3),
    ("commentary", " (Commentary)", -60), ("part", ", Pt. 2", 10), ("dub", " (Dub)", 20),
    ("session", " (BBC Session)", 4), ("club", " (Club Mix)", 60), ("live", " (Live)", 12),
)  # fmt: skip
_KARAOKE = ("Sing It Loud", "Party Tyme Karaoke", "The Backing Track Crew", "Zoom Entertainments Ltd.")


@dataclass(frozen=True, slots=True)
class _Miss:
    """A near miss: its title, its artist and its length."""

    trait: str
    title: str
    artist: str
    duration_ms: int


def absent(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return files of which half are strangers from another catalogue, and half near misses:
    versions, covers and lengths that this catalogue lacks."""
    strange = strangers(catalogue, count // 2, seed)
    near = near_misses(catalogue, count - len(strange), seed)
    return below("strangers", strange) + below("near", near)


def strangers(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return albums and loose files of another catalogue, with no song in common."""
    other = invent_catalogue(seed + 10_007, max(3000, count * 5))
    maker, here = Maker(other, Random(f"strangers {seed}")), Maker(catalogue, Random(0)).truth
    files = maker.loose(count) + maker.albums(count)
    kept = [
        replace(one, recording=None, twins=frozenset(), findable=False, traits=("stranger", *one.traits))
        for one in maker.rng.sample(files, len(files))
        if one.recording and not any(here.namesakes(one.recording.title, part.name) for part in one.recording.credit)
    ]
    return kept[:count]


def near_misses(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return files that resemble songs of the catalogue and are other recordings."""
    rng = Random(f"near misses {seed}")
    maker = Maker(catalogue, rng)
    makers: tuple[Callable[[Maker, Recording, int], _Miss | None], ...] = (
        _live, _remix, _karaoke, _cover, _version, _version, _version, _other_length,
    )  # fmt: skip
    files: list[Labelled] = []
    for recording in rng.sample(catalogue.recordings, len(catalogue.recordings)):
        plain = not title_version(recording.title) and not hidden_version(recording)
        if not plain or recording.video or is_blank(recording) or not recording.duration_ms:
            continue
        if not 60_000 < recording.duration_ms < 900_000:
            continue
        miss = makers[len(files) % len(makers)](maker, recording, recording.duration_ms)
        if miss:
            files.append(_file(maker, recording, miss))
        if len(files) == count:
            return files
    raise ValueError(f"the catalogue has songs for {len(files)} of {count} near misses")


def _file(maker: Maker, like: Recording, miss: _Miss) -> Labelled:
    rng = maker.rng
    traits, carried = [miss.trait], Identifiers()
    luck = rng.random()
    if luck < 0.04:
        traits, carried = [*traits, "with the song's MBID"], Identifiers(mb_recording_ids=(like.mbid,))
    elif luck < 0.08 and like.isrcs:
        traits, carried = [*traits, "with the song's ISRC"], Identifiers(isrcs=like.isrcs)
    places = maker.catalogue.places(like.mbid)
    album = rng.choice((None, None, None, places[0].release.title if places else None, f"{miss.trait.title()} Hits"))
    tags = TrackTags(
        title=miss.title, artist=miss.artist, album=album, duration_ms=max(5000, miss.duration_ms), ids=carried,
        track_number=rng.randrange(1, 15) if rng.random() < 0.4 else None,
        date=str(rng.randrange(1970, 2024)) if rng.random() < 0.3 else None,
    )  # fmt: skip
    folder = PurePosixPath("Downloads", f"{rng.randrange(300):03d}")
    suffix = rng.choice((".mp3", ".flac", ".ogg", ".opus", ".m4a"))
    return Labelled(maker.plan(folder, f"{miss.artist} - {miss.title}", suffix, tags), traits=tuple(traits))


def _kin(maker: Maker, like: Recording) -> list[Recording]:
    return maker.truth.namesakes(like.title, like.credit[0].name)


def _has(maker: Maker, like: Recording, kind: str) -> bool:
    return any(kind in title_version(one.title) | hidden_version(one) for one in _kin(maker, like))


def _live(maker: Maker, like: Recording, length: int) -> _Miss | None:
    if _has(maker, like, "live"):
        return None
    place = maker.rng.choice(words.PLACES)
    phrase = maker.rng.choice((f" (Live at {place})", f" - Live in {place}, 1999", " [live]", f" (live {place})"))
    return _Miss("live", like.title + phrase, like.artist, length + maker.rng.randrange(-5_000, 40_000))


def _remix(maker: Maker, like: Recording, length: int) -> _Miss | None:
    remixer = maker.rng.choice(words.FAMILY)
    if any(remixer.casefold() in one.title.casefold() for one in _kin(maker, like)):
        return None
    phrase = maker.rng.choice((f" ({remixer} Remix)", f" - {remixer} Remix", f" [{remixer} rmx]"))
    return _Miss("remix", like.title + phrase, like.artist, length + maker.rng.randrange(0, 120_000))


def _karaoke(maker: Maker, like: Recording, length: int) -> _Miss | None:
    if _has(maker, like, "karaoke"):
        return None
    name = like.credit[0].name
    phrase = maker.rng.choice(
        (" (Karaoke Version)", f" (In the Style of {name})", f" (Originally Performed by {name})")
    )
    artist = maker.rng.choice((*_KARAOKE, f"Tribute to {name}"))
    return _Miss("karaoke", like.title + phrase, artist, length + maker.rng.randrange(-2_000, 2_000))


def _cover(maker: Maker, like: Recording, length: int) -> _Miss | None:
    known = maker.rng.choice(maker.catalogue.artists).name
    artist = maker.rng.choice((words.person(maker.rng)[0], words.band(maker.rng)[0], known))
    if maker.truth.namesakes(like.title, artist) or artist == "Various Artists":
        return None
    spread = maker.rng.choice((1_000, 20_000))
    return _Miss("cover", like.title, artist, length + maker.rng.randrange(-spread, spread))


def _version(maker: Maker, like: Recording, length: int) -> _Miss | None:
    kind, phrase, seconds = maker.rng.choice(_STUDIO_LIKE)
    if _has(maker, like, kind):
        return None
    return _Miss(kind, like.title + phrase, like.artist, length + seconds * 1000 + maker.rng.randrange(-1_000, 1_000))


def _other_length(maker: Maker, like: Recording, length: int) -> _Miss | None:
    """Return a near miss of the same name, with a length far from every recording."""
    length += maker.rng.choice((-1, 1)) * maker.rng.randrange(25_000, 90_000)
    kin = [one.duration_ms for one in _kin(maker, like)]
    if length < 30_000 or any(known is None or abs(known - length) < 15_000 for known in kin):
        return None
    return _Miss("other length", like.title, like.artist, length)
