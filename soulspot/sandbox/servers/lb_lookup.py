"""ListenBrainz' text look-ups: an artist credit and a title folded to one key, and the recording that owns it."""

from __future__ import annotations

import re
from functools import cached_property

from anyascii import anyascii

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue, Recording, Release
from soulspot.sandbox.servers.lb_json import canonical_release, credit_id

_NOT_WORD = re.compile(r"[^\w]+")


def key(*names: str) -> str:
    """What two spellings must share to be the same: non-words cut, lower case, in ASCII, in that order."""
    return anyascii(_NOT_WORD.sub("", "".join(names)).lower())


class Lookup:
    """The tables behind acr-lookup and acrr-lookup; one recording a key, the one on the best release."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @cached_property
    def by_credit(self) -> dict[str, tuple[Recording, Release]]:
        """Artist credit and title -> recording and release."""
        found: dict[str, tuple[Recording, Release]] = {}
        for recording in self.catalogue.recordings:
            release = canonical_release(self.catalogue, recording)
            if release is None:
                continue
            name, known = key(recording.artist, recording.title), None
            if name in found:
                known = found[name][1]
            if known is None or _rank(release) < _rank(known):
                found[name] = (recording, release)
        return found

    @cached_property
    def by_release(self) -> dict[str, tuple[Recording, Release]]:
        """Artist credit, title and release title -> recording and release."""
        found: dict[str, tuple[Recording, Release]] = {}
        for release in self.catalogue.releases:
            for track in release.tracks:
                recording = self.catalogue.recordings_by_mbid[track.recording_mbid]
                found.setdefault(key(recording.artist, recording.title, release.title), (recording, release))
        return found

    def answer(self, artist: str, title: str, release: str | None) -> dict[str, object] | None:
        """The row of an exact match, by release where one is given; None without one."""
        name = key(artist, title) if release is None else key(artist, title, release)
        found = (self.by_credit if release is None else self.by_release).get(name)
        if found is None:
            return None
        recording, on = found
        return {
            "artist_credit_name": recording.artist,
            "artist_credit_id": credit_id(recording.credit),
            "artist_mbids": [part.artist.mbid for part in recording.credit],
            "release_name": on.title,
            "release_mbid": on.mbid,
            "recording_name": recording.title,
            "recording_mbid": recording.mbid,
            "year": int(on.date[:4]) if on.date else None,
        }

    def spotify_ids(self, recording: Recording, seed: int, wrong_share: float) -> list[str]:
        """The Spotify tracks labs names for a recording: right for most, none for one in ten, a dead or a
        wrong one for `wrong_share` of them, always the same for the same recording."""
        luck = ids.number("labs", seed, recording.mbid)
        if luck % 1_000_000 < wrong_share * 1_000_000 and self.catalogue.spotify_tracks:
            tracks = self.catalogue.spotify_tracks
            return [tracks[luck // 1_000_000 % len(tracks)].id]
        if luck // 1_000_000 % 10 == 0:
            return list(recording.dead_ids)
        return [*recording.dead_ids, *recording.spotify_ids]


def _rank(release: Release) -> tuple[int, str]:
    return len(release.secondary_types), release.date or "9999"
