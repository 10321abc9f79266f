"""The kinds of library: the identifiers in their files, and their mixture of albums and singles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from benchmarks.libraries.absent import absent
from benchmarks.libraries.making import Carried, Carry, Maker, below
from benchmarks.libraries.truth import Labelled
from soulspot.models import Identifiers
from soulspot.sandbox import Catalogue, Place, Recording
from soulspot.sandbox.catalogue import ids

Mode = Literal["extended", "development"]
WRONG_SHARE = 0.06


@dataclass(frozen=True, slots=True)
class Aim:
    """The aim for a kind of library; None where there is none.

    `requests` are at most so many per 1,000 tracks: all of them, or with `beyond` those beyond the
    requests of that other kind. `accepted` is the largest share of tracks that may be accepted."""

    requests: float | None = None
    precision: float | None = None
    recall: float | None = None
    accepted: float | None = None
    beyond: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of library: `build(catalogue, count, seed)` makes it, `mode` is the answer of Spotify
    to its app: extended, development, or None without Spotify."""

    title: str
    build: Callable[[Catalogue, int, int], list[Labelled]]
    aim: Aim
    mode: Mode | None = None


def with_ids(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return albums tagged by Picard: half with all MusicBrainz ids, half with recording ids
    only."""
    maker = Maker(catalogue, Random(f"ids {seed}"))
    return maker.albums(count, own_ids(maker), tidy=True)


def with_wrong_ids(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return albums tagged by Picard, with 6 % of the recording ids wrong."""
    maker = Maker(catalogue, Random(f"wrong ids {seed}"))
    return maker.albums(count, wrong_ids(maker, own_ids(maker)), tidy=True)


def with_isrcs(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return files with ISRC and untidy text: two thirds in albums, one third loose."""
    maker = Maker(catalogue, Random(f"isrc {seed}"))
    loose = maker.loose(count // 3, isrcs(maker))
    return maker.albums(count - len(loose), isrcs(maker)) + loose


def albums(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return albums with untidy text and no identifier."""
    return Maker(catalogue, Random(f"albums {seed}")).albums(count)


def loose(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return single files with untidy text and no identifier."""
    return Maker(catalogue, Random(f"loose {seed}")).loose(count)


def mixture(catalogue: Catalogue, count: int, seed: int) -> list[Labelled]:
    """Return a library of equal parts of the other kinds."""
    parts = (with_ids, with_wrong_ids, with_isrcs, albums, loose)
    sizes = [count // 5 + (n < count % 5) for n in range(5)]
    built = [part(catalogue, size, seed) for part, size in zip(parts, sizes, strict=True)]
    return [file for n, files in enumerate(built) for file in below(f"{n}", files)]


def own_ids(maker: Maker) -> Carry:
    """Return the MBID of the recording; for half of the merged recordings, the MBID they once had.

    Half of the albums get all their ids."""

    def carry(recording: Recording, place: Place) -> Carried:
        mbid = recording.mbid
        traits: tuple[str, ...] = ()
        if recording.merged_mbids and maker.rng.random() < 0.5:
            mbid, traits = recording.merged_mbids[0], ("merged id",)
        if ids.number(place.release.mbid) % 2:
            return Carried(Identifiers(mb_recording_ids=(mbid,)), True, traits)
        full = Identifiers(
            mb_recording_ids=(mbid,), mb_track_id=place.track.mbid, mb_release_id=place.release.mbid,
            mb_release_group_id=place.release.group_mbid, isrcs=recording.isrcs,
            mb_artist_ids=tuple(part.artist.mbid for part in recording.credit),
        )  # fmt: skip
        return Carried(full, True, traits)

    return carry


def wrong_ids(maker: Maker, right: Carry) -> Carry:
    """Wrap `right` so that 6 % of the ids are wrong: that of another version of the song where
    there is one, else in turns that of a neighbour on the album, of any song, and of nothing."""
    turn = 0

    def carry(recording: Recording, place: Place) -> Carried:
        nonlocal turn
        if maker.rng.random() >= WRONG_SHARE:
            return right(recording, place)
        kin = maker.truth.namesakes(recording.title, recording.credit[0].name)
        versions = [one.mbid for one in kin if one.mbid != recording.mbid]
        neighbours = [t.recording_mbid for t in place.release.tracks if t.recording_mbid != recording.mbid]
        if versions:
            other, what = maker.rng.choice(versions), "id of another version"
        elif turn % 3 == 1 and neighbours:
            other, what = maker.rng.choice(neighbours), "id of a neighbour"
        elif turn % 3 == 2:
            other, what = maker.rng.choice(maker.catalogue.recordings).mbid, "id of another song"
        else:
            other, what = ids.mbid("nothing", recording.mbid), "id of nothing"
        turn += not versions
        return Carried(Identifiers(mb_recording_ids=(other,)), False, (what,))

    return carry


def isrcs(maker: Maker) -> Carry:
    """Return the ISRCs in the file, some carelessly written; MusicBrainz knows two thirds of
    them."""

    def carry(recording: Recording, place: Place) -> Carried:
        codes = recording.isrcs
        traits: tuple[str, ...] = ()
        if not codes:
            tracks = [maker.catalogue.spotify_track(one) for one in recording.spotify_ids]
            sold = [track.isrc.replace("-", "").upper() for track in tracks if track and track.isrc]
            codes, traits = tuple(sold[:1]) or (ids.isrc(2001, "sold", recording.mbid),), ("unknown isrc",)
        alone = any(maker.catalogue.recordings_with_isrc(code) == (recording,) for code in codes)
        if maker.rng.random() < 0.03:
            codes = tuple(ids.hyphenated_isrc(code).lower() for code in codes)
        return Carried(Identifiers(isrcs=codes), alone, traits)

    return carry


KINDS: dict[str, Kind] = {
    "ids": Kind("recording MBIDs in tags, all right", with_ids, Aim(5, 0.999, 0.995)),
    "wrong-ids": Kind("recording MBIDs in tags, 6% of them wrong", with_wrong_ids, Aim(15, 0.999, 0.995)),
    "isrc": Kind("ISRCs and text, a third of the ISRCs unknown upstream", with_isrcs, Aim(35, 0.997, 0.98)),
    "albums": Kind("text, whole albums, untidy", albums, Aim(45, 0.997, 0.98)),
    "loose": Kind("text, loose singles, untidy", loose, Aim(60, 0.995, 0.95)),
    "mixture": Kind("a mixture of these, without Spotify", mixture, Aim()),
    "spotify": Kind(
        "the mixture, Spotify in extended mode", mixture, Aim(80, 0.995, 0.92, beyond="mixture"), "extended"
    ),
    "spotify-development": Kind(
        "the mixture, Spotify in development mode", mixture, Aim(180, 0.995, 0.95, beyond="mixture"), "development"
    ),
    "absent": Kind("recordings that are not in the catalogue", absent, Aim(accepted=0.005)),
    "absent-spotify": Kind(
        "the same, Spotify in extended mode", absent, Aim(accepted=0.005), "extended"
    ),
}  # fmt: skip
