"""How well or badly files of the sample library are tagged, and whether their tags tell the recording."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum

from soulspot.models import Identifiers, TrackTags
from soulspot.sandbox.catalogue.values import Catalogue, Place, Recording


class Style(StrEnum):
    """What the tags of a file hold; the value is how SampleFile.tag_summary says it."""

    IDS = "MusicBrainz ids"
    ISRC = "text and ISRC"
    TEXT = "text"
    CAPITALS = "text in capitals"
    LOWER = "text in lower case"
    NUMBERED = "text, track number before the title"
    GUEST = "text, guest in the title"
    SPOTIFY = "text, Spotify URL in the comment"
    LONE = "title and artist only"
    MERGED = "recording id that was merged"
    WRONG = "recording id of another recording"
    MALFORMED = "recording id cut short"
    DEAD_LINK = "text, Spotify URL that is gone"


# Styles whose identifier tells the file, so that its text need not.
_IDENTIFIED = (Style.IDS, Style.SPOTIFY, Style.MERGED)


@dataclass(frozen=True, slots=True)
class Dressed:
    """Tags in a style. `style` may be a better one than was asked for: see Wardrobe.dress."""

    tags: TrackTags
    style: Style


class Wardrobe:
    """Gives recordings of one catalogue their tags, and sees to it that a person could tell each by them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._same_text: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for recording in catalogue.recordings:
            name = _name(recording.title, recording.credit[0].name)
            self._same_text[name].add(recording.mbid)
            for place in catalogue.places(recording.mbid):
                self._same_text[*name, place.release.title.casefold()].add(recording.mbid)

    def dress(
        self, recording: Recording, place: Place, style: Style, *, other: Recording | None = None
    ) -> Dressed:
        """Tags for this recording as it stands on this release.

        A style that the recording cannot have (no ISRC, no guest, no Spotify track) becomes TEXT, and one
        that would leave two recordings possible becomes IDS. `other` is whose id WRONG takes."""
        full = self._full(recording, place)
        style = style if self._has(recording, style) else Style.TEXT
        if not self.tells(recording, place, style):
            style = Style.IDS
        return Dressed(self._worn(full, recording, style, other), style)

    def tells(self, recording: Recording, place: Place, style: Style) -> bool:
        """Whether tags in this style fit this recording and no other."""
        if style in _IDENTIFIED:
            return True
        if style is Style.ISRC and len(recording.isrcs) == len(self._only(recording)) > 0:
            return True
        name = _name(recording.title, recording.credit[0].name)
        key = name if style is Style.LONE else (*name, place.release.title.casefold())
        blank = not any(c.isalnum() for c in recording.title.replace("untitled", ""))
        return not blank and not recording.video and self._same_text[key] == {recording.mbid}

    def _only(self, recording: Recording) -> list[str]:
        return [isrc for isrc in recording.isrcs if self.catalogue.recordings_with_isrc(isrc) == (recording,)]

    def _has(self, recording: Recording, style: Style) -> bool:
        match style:
            case Style.ISRC:
                return bool(self._isrcs(recording))
            case Style.GUEST:
                return len(recording.credit) > 1 and "(feat" not in recording.title
            case Style.SPOTIFY:
                return bool(recording.spotify_ids)
            case Style.MERGED:
                return bool(recording.merged_mbids)
            case Style.DEAD_LINK:
                return bool(recording.dead_ids)
            case _:
                return True

    def _isrcs(self, recording: Recording) -> tuple[str, ...]:
        """What a shop would have put into the file: MusicBrainz may not know it."""
        if recording.isrcs:
            return recording.isrcs
        tracks = [self.catalogue.spotify_track(spotify_id) for spotify_id in recording.spotify_ids]
        return tuple(track.isrc.replace("-", "").upper() for track in tracks[:1] if track and track.isrc)

    def _full(self, recording: Recording, place: Place) -> TrackTags:
        """Everything Picard would write."""
        release, medium, track = place.release, place.medium, place.track
        return TrackTags(
            title=recording.title,
            artist=recording.artist,
            artists=tuple(part.name for part in recording.credit),
            album=release.title,
            album_artist=release.artist,
            track_number=track.position,
            disc_number=medium.position,
            track_total=len(medium.tracks),
            disc_total=len(release.media),
            date=release.date or None,
            genres=tuple(name for name, _ in sorted(recording.tags, key=lambda tag: -tag[1])[:2]),
            compilation="Compilation" in release.secondary_types,
            ids=Identifiers(
                mb_recording_ids=(recording.mbid,),
                mb_track_id=track.mbid,
                mb_release_id=release.mbid,
                mb_release_group_id=release.group_mbid,
                mb_artist_ids=tuple(part.artist.mbid for part in recording.credit),
                isrcs=recording.isrcs,
            ),
        )

    def _worn(
        self, full: TrackTags, recording: Recording, style: Style, other: Recording | None
    ) -> TrackTags:
        title, isrcs = full.title or "", self._isrcs(recording)
        text = replace(full, artists=(), genres=(), ids=Identifiers())
        match style:
            case Style.IDS:
                return full
            case Style.ISRC:
                return replace(text, ids=Identifiers(isrcs=isrcs))
            case Style.CAPITALS:
                return replace(text, title=title.upper(), artist=(full.artist or "").upper())
            case Style.LOWER:
                return replace(
                    text, title=title.lower(), artist=(full.artist or "").lower(), album_artist=None
                )
            case Style.NUMBERED:
                return replace(text, title=f"{full.track_number or 0:02d} - {title}", track_total=None)
            case Style.GUEST:
                guests = " & ".join(part.name for part in recording.credit[1:])
                return replace(text, title=f"{title} (feat. {guests})", artist=recording.credit[0].name)
            case Style.SPOTIFY:
                return replace(text, ids=Identifiers(spotify_track_id=recording.spotify_ids[0]))
            case Style.DEAD_LINK:
                return replace(text, ids=Identifiers(spotify_track_id=recording.dead_ids[0]))
            case Style.LONE:
                return TrackTags(title=title, artist=full.artist)
            case Style.MERGED:
                return replace(
                    full, ids=replace(full.ids, mb_recording_ids=recording.merged_mbids[:1], isrcs=())
                )
            case Style.WRONG:
                wrong = (other or recording).mbid
                return replace(text, ids=Identifiers(mb_recording_ids=(wrong,), isrcs=isrcs))
            case Style.MALFORMED:
                return replace(text, ids=Identifiers(mb_recording_ids=(recording.mbid[:-1],)))
            case _:
                return text


def _name(title: str, artist: str) -> tuple[str, str]:
    return title.casefold(), artist.casefold()
