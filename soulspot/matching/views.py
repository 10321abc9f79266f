"""Both sides of a comparison in one form: tags and provider entities, taken apart and folded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from soulspot.matching.albums.release import Album, albums_in, make_album
from soulspot.matching.text.names import Credit, is_imitation, parse_credit, split_featured
from soulspot.matching.text.tag_cleanup import normalise_tags
from soulspot.matching.text.titles import NO_TITLE, Title, parse_title
from soulspot.matching.versions.parsing import NO_VERSIONS, Versions, parse_versions
from soulspot.models import Entity, TrackTags

_LEADING_NUMBER = re.compile(r"^0?(?P<number>[1-9]\d?)\s+(?=\S*[^\W\d_])")


@dataclass(frozen=True, slots=True)
class View:
    """A track ready for comparison, of the library or of a provider."""

    title: Title
    credit: Credit
    album_credit: Credit
    albums: tuple[Album, ...]
    duration_ms: int | None
    beside_title: Versions  # version words outside the title: in a comment or the artist's name
    implied: frozenset[str]  # version kinds that all of its albums imply
    explained: frozenset[str]  # version kinds that any of its albums explains in a title
    entries: tuple[Mapping[str, Any] | None, ...] = ()  # the provider's dicts of `albums`, in order
    number: int | None = None
    isrcs: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    spotify_ids: frozenset[str] = frozenset()
    release_id: str | None = None
    artist_ids: frozenset[str] = frozenset()
    year: str | None = None
    is_video: bool = False
    # The fields that only a path suggested: they contradict nothing.
    guessed: frozenset[str] = frozenset()
    is_empty: bool = False

    @property
    def versions(self) -> Versions:
        """The version words of the track itself, wherever they stand."""
        return self.title.versions | self.beside_title


def views_of_tags(tags: TrackTags, path: bytes | None = None) -> tuple[View, ...]:
    """Return the library's side in every reading, the likeliest first. "Artist - Title" in one
    field may also be a title with a dash, and "07" or "Track 1" may be the name of a song."""
    own = normalise_tags(tags)
    # Ordered: the first reading decides the release, and wins where scores are equal.
    views = [_view_of_tags(own, normalise_tags(tags, path))]
    whole = normalise_tags(tags, split=False)
    if whole.artist != own.artist:
        views.append(_view_of_tags(whole, normalise_tags(tags, path, split=False)))
    if tags.title and not own.title and views[0].credit.is_known:
        views.append(replace(views[0], title=parse_title(tags.title)))
    return tuple(views)


def cut_leading_number(view: View) -> View | None:
    """Return the view with the number before its title as track number; None without one. "10
    Glacier of Lisbon" may be track 10, called "Glacier of Lisbon"."""
    first = view.title.segments[0] if view.title.segments else ""
    found = _LEADING_NUMBER.match(first)
    if not found or (view.number or int(found["number"])) != int(found["number"]):
        return None
    segments = (first[found.end() :], *view.title.segments[1:])
    return replace(view, title=replace(view.title, segments=segments), number=int(found["number"]))


def _view_of_tags(own: TrackTags, full: TrackTags) -> View:
    """Return the view of `full`, the tags with gaps filled from the path; `own` is without that."""
    names = ("title", "artist", "album")
    title = parse_title(full.title) if full.title else NO_TITLE
    album = None
    if full.album:
        place = (full.disc_number, full.track_number, full.date)
        album = make_album(full.album, full.ids.mb_release_id, full.album_artist, *place)
    return View(
        title=title,
        credit=_credit(full.artist, full.artists, (), title),
        album_credit=parse_credit(full.album_artist),
        albums=(album,) if album else (),
        duration_ms=full.duration_ms,
        beside_title=_imitation(full.artist, full.album_artist),
        implied=album.implied if album else frozenset(),
        explained=album.explained if album else frozenset(),
        number=full.track_number,
        isrcs=frozenset(full.ids.isrcs),
        ids=frozenset(full.ids.mb_recording_ids),
        spotify_ids=frozenset(filter(None, (full.ids.spotify_track_id,))),
        release_id=full.ids.mb_release_id,
        artist_ids=frozenset(full.ids.mb_artist_ids),
        year=full.date[:4] if full.date else None,
        guessed=frozenset(name for name in names if getattr(full, name) != getattr(own, name)),
        is_empty=not (full.title or full.artist or full.artists or full.album or full.duration_ms),
    )


def view_of_entity(entity: Entity) -> View:
    """Return a provider's side: the fields of a "recording" or of a Spotify "track"."""
    fields = entity.fields
    title = parse_title(fields["title"]) if fields.get("title") else NO_TITLE
    artists, aliases = (tuple(fields.get(name) or ()) for name in ("artists", "artist_aliases"))
    found = tuple(albums_in(fields))
    albums = tuple(album for album, _ in found)
    date = fields.get("original_date") or fields.get("release_date")
    own_spotify_id = (entity.id,) if entity.kind == "track" else ()
    return View(
        title=title,
        credit=_credit(fields.get("artist"), artists, aliases, title),
        album_credit=parse_credit(fields.get("album_artist")),
        albums=albums,
        duration_ms=fields.get("duration_ms") or None,
        beside_title=parse_versions(fields.get("disambiguation") or "") | _imitation(fields.get("artist")),
        entries=tuple(entry for _, entry in found),
        implied=frozenset.intersection(*(album.implied for album in albums)) if albums else frozenset(),
        explained=frozenset().union(*(album.explained for album in albums)),
        number=albums[0].number if len(albums) == 1 else fields.get("track_number"),
        isrcs=frozenset(fields.get("isrcs") or ()),
        ids=frozenset((entity.id,) if entity.kind == "recording" else ()),
        spotify_ids=frozenset((*own_spotify_id, *(fields.get("spotify_track_ids") or ()))),
        artist_ids=frozenset(fields.get("mb_artist_ids") or ()),
        year=date[:4] if date else None,
        is_video=bool(fields.get("video")),
    )


def _credit(artist: str | None, artists: tuple[str, ...], aliases: tuple[str, ...], title: Title) -> Credit:
    credit = parse_credit(artist, artists, aliases)
    if not title.featured:
        return credit
    return replace(credit, featured=tuple(dict.fromkeys((*credit.featured, *title.featured))))


def _imitation(*names: str | None) -> Versions:
    """Return "cover" for a karaoke, tribute or cover act among the names."""
    # A guest imitates nobody: "Mara Quill feat. Cover Drive".
    imitates = any(is_imitation(split_featured(name)[0]) for name in names if name)
    return Versions(frozenset({"cover"})) if imitates else NO_VERSIONS
