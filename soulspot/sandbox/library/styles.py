"""The styles, good and bad, of tags in a sample library; each lets a person tell the recording."""

from collections import defaultdict
from dataclasses import replace
from enum import StrEnum

from soulspot.models import Identifiers, TrackTags
from soulspot.sandbox.catalogue.values import Catalogue, Place, Recording


class Style(StrEnum):
    """A style of tags; the value describes it in `SampleFile.tag_summary`."""

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


# Styles whose identifier tells the recording, so that their text need not.
_IDENTIFIED = (Style.IDS, Style.SPOTIFY, Style.MERGED)


class TagStyler:
    """Tags the recordings of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        # (title, artist) and (title, artist, album) -> the recordings with these names
        self._namesakes: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for recording in catalogue.recordings:
            name = _name(recording)
            self._namesakes[name].add(recording.mbid)
            for place in catalogue.places(recording.mbid):
                self._namesakes[*name, place.release.title.casefold()].add(recording.mbid)

    def tags_for(
        self, recording: Recording, place: Place, style: Style, *, other: Recording | None = None
    ) -> tuple[TrackTags, Style]:
        """Return tags for a recording as it stands on a release, and the style they really have.

        A style that the recording cannot have (no ISRC, no guest, no Spotify track) becomes TEXT,
        and a style that would fit two recordings becomes IDS. WRONG takes the id of `other`."""
        if self._styled(recording, place, style, other) is None:
            style = Style.TEXT
        if not self._identifies(recording, place, style):
            style = Style.IDS
        return self._styled(recording, place, style, other) or TrackTags(), style

    def _identifies(self, recording: Recording, place: Place, style: Style) -> bool:
        if style in _IDENTIFIED:
            return True
        isrcs = recording.isrcs
        lookup = self.catalogue.recordings_with_isrc
        if style is Style.ISRC and isrcs and all(lookup(isrc) == (recording,) for isrc in isrcs):
            return True
        name = _name(recording)
        key = name if style is Style.LONE else (*name, place.release.title.casefold())
        # Untitled tracks and videos have no name that a person could tell them by.
        is_blank = not any(c.isalnum() for c in recording.title.replace("untitled", ""))
        return not is_blank and not recording.video and self._namesakes[key] == {recording.mbid}

    def _isrcs(self, recording: Recording) -> tuple[str, ...]:
        """Return the ISRCs that a shop would put into the file; MusicBrainz may not know them."""
        if recording.isrcs:
            return recording.isrcs
        tracks = [self.catalogue.spotify_track(spotify_id) for spotify_id in recording.spotify_ids[:1]]
        return tuple(track.isrc.replace("-", "").upper() for track in tracks if track and track.isrc)

    def _styled(self, recording: Recording, place: Place, style: Style, other: Recording | None) -> TrackTags | None:
        full = _picard_tags(recording, place)
        title, artist, isrcs = recording.title, recording.artist, self._isrcs(recording)
        text = replace(full, artists=(), genres=(), ids=Identifiers())
        match style:
            case Style.IDS:
                return full
            case Style.MERGED if merged := recording.merged_mbids[:1]:
                return replace(full, ids=replace(full.ids, mb_recording_ids=merged, isrcs=()))
            case Style.LONE:
                return TrackTags(title=title, artist=artist)
            case Style.CAPITALS:
                return replace(text, title=title.upper(), artist=artist.upper())
            case Style.LOWER:
                return replace(text, title=title.lower(), artist=artist.lower(), album_artist=None)
            case Style.NUMBERED:
                return replace(text, title=f"{place.track.position:02d} - {title}", track_total=None)
            case Style.GUEST if len(recording.credit) > 1 and "(feat" not in title:
                guests = " & ".join(part.name for part in recording.credit[1:])
                return replace(text, title=f"{title} (feat. {guests})", artist=recording.credit[0].name)
            case Style.ISRC if isrcs:
                return replace(text, ids=Identifiers(isrcs=isrcs))
            case Style.SPOTIFY if recording.spotify_ids:
                return replace(text, ids=Identifiers(spotify_track_id=recording.spotify_ids[0]))
            case Style.DEAD_LINK if recording.dead_ids:
                return replace(text, ids=Identifiers(spotify_track_id=recording.dead_ids[0]))
            # The text is right and the id is wrong: the text has to win.
            case Style.WRONG:
                wrong = (other or recording).mbid
                return replace(text, ids=Identifiers(mb_recording_ids=(wrong,), isrcs=isrcs))
            case Style.MALFORMED:
                return replace(text, ids=Identifiers(mb_recording_ids=(recording.mbid[:-1],)))
            case Style.TEXT:
                return text
        return None


def _picard_tags(recording: Recording, place: Place) -> TrackTags:
    release, medium, track = place.release, place.medium, place.track
    return TrackTags(
        title=recording.title, artist=recording.artist, artists=tuple(part.name for part in recording.credit),
        album=release.title, album_artist=release.artist, track_number=track.position,
        disc_number=medium.position, track_total=len(medium.tracks), disc_total=len(release.media),
        date=release.date or None, compilation="Compilation" in release.secondary_types,
        genres=tuple(name for name, _ in sorted(recording.tags, key=lambda tag: -tag[1])[:2]),
        ids=Identifiers(
            mb_recording_ids=(recording.mbid,), mb_track_id=track.mbid, mb_release_id=release.mbid,
            mb_release_group_id=release.group_mbid, isrcs=recording.isrcs,
            mb_artist_ids=tuple(part.artist.mbid for part in recording.credit),
        ),
    )  # fmt: skip


def _name(recording: Recording) -> tuple[str, str]:
    return recording.title.casefold(), recording.credit[0].name.casefold()
