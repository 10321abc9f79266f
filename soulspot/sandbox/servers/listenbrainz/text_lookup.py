"""ListenBrainz' text lookups: artist credit and title, folded to one key, lead to a recording."""

import re
from functools import cached_property

from anyascii import anyascii

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue, Recording, Release
from soulspot.sandbox.servers.listenbrainz.metadata import canonical_release, credit_id
from soulspot.sandbox.servers.service import Json

_NOT_WORD = re.compile(r"[^\w]+")


def folded_key(*names: str) -> str:
    """Return the key that all spellings share: non-words cut, case folded, then made ASCII."""
    return anyascii(_NOT_WORD.sub("", "".join(names)).lower())


class TextLookup:
    """The tables behind acr-lookup and acrr-lookup. Each key has one recording."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @cached_property
    def _by_credit(self) -> dict[str, tuple[Recording, Release]]:
        """Key of artist credit and title -> the recording on the best release, and that release."""
        best: dict[str, tuple[Recording, Release]] = {}
        for recording in self.catalogue.recordings:
            release = canonical_release(self.catalogue, recording)
            key = folded_key(recording.artist, recording.title)
            if release and (key not in best or _rank(release) < _rank(best[key][1])):
                best[key] = (recording, release)
        return best

    @cached_property
    def _by_release(self) -> dict[str, tuple[Recording, Release]]:
        """Key of artist credit, title and release title -> recording and release."""
        first: dict[str, tuple[Recording, Release]] = {}
        for release in self.catalogue.releases:
            for track in release.tracks:
                recording = self.catalogue.recordings_by_mbid[track.recording_mbid]
                key = folded_key(recording.artist, recording.title, release.title)
                first.setdefault(key, (recording, release))
        return first

    def best_row(self, artist: str, title: str, release: str | None) -> Json | None:
        """Return the row of a match by release, or else of a match without one, or None."""
        on_release = self.row(artist, title, release) if release else None
        return on_release or self.row(artist, title, None)

    def row(self, artist: str, title: str, release: str | None) -> Json | None:
        """Return the row of an exact match, by release where `release` is given, or None."""
        table = self._by_credit if release is None else self._by_release
        if (match := table.get(folded_key(artist, title, release or ""))) is None:
            return None
        recording, found_on = match
        return {
            "artist_credit_name": recording.artist, "artist_credit_id": credit_id(recording.credit),
            "artist_mbids": [part.artist.mbid for part in recording.credit], "release_name": found_on.title,
            "release_mbid": found_on.mbid, "recording_name": recording.title, "recording_mbid": recording.mbid,
            "year": int(found_on.date[:4]) if found_on.date else None,
        }  # fmt: skip

    def spotify_ids(self, recording: Recording, seed: int, wrong_share: float) -> list[str]:
        """Return the Spotify track ids that labs names for a recording, always the same ones.

        One recording in ten has none, and `wrong_share` of them have a dead or a wrong id."""
        # Labs keeps ids that Spotify has dropped, and names them beside the living ones.
        luck = ids.number("labs", seed, recording.mbid)
        if luck % 1_000_000 < wrong_share * 1_000_000 and self.catalogue.spotify_tracks:
            tracks = self.catalogue.spotify_tracks
            return [tracks[luck // 1_000_000 % len(tracks)].id]
        if luck // 1_000_000 % 10 == 0:
            return list(recording.dead_ids)
        return [*recording.dead_ids, *recording.spotify_ids]


def _rank(release: Release) -> tuple[int, str]:
    return len(release.secondary_types), release.date or "9999"
