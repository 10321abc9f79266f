"""One way to look at tags and at provider entities: taken apart, folded and ready to be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from soulspot.matching.albums.release import Album, album, albums_in
from soulspot.matching.text.fallback import normalise_tags
from soulspot.matching.text.names import Credit, credit_of, is_imitation
from soulspot.matching.text.titles import NO_TITLE, Title, parse_title
from soulspot.matching.versions.words import NO_VERSIONS, Versions, parse_versions
from soulspot.models import Entity, TrackTags


@dataclass(frozen=True, slots=True)
class View:
    """A track ready for comparison.

    `besides` are version words said of it elsewhere than in the title, `lent` those by which some album it is on
    explains a title, `implied` those of every such album. `entries` are the provider's dicts of `albums`, in their
    order. `guessed` names what came from a path and therefore contradicts nothing."""

    title: Title
    credit: Credit
    album_credit: Credit
    albums: tuple[Album, ...]
    duration_ms: int | None
    besides: Versions
    implied: frozenset[str]
    lent: frozenset[str]
    entries: tuple[Mapping[str, Any] | None, ...] = ()
    number: int | None = None
    isrcs: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    spotify_ids: frozenset[str] = frozenset()
    release_id: str | None = None
    artist_ids: frozenset[str] = frozenset()
    year: str | None = None
    video: bool = False
    guessed: frozenset[str] = frozenset()
    empty: bool = False

    @property
    def versions(self) -> Versions:
        """Everything said of the track itself."""
        return self.title.versions | self.besides


def views_of_tags(tags: TrackTags, path: bytes | None = None) -> tuple[View, ...]:
    """The library's side, in every reading.

    "Artist - Title" in one field may also be a title with a dash, and "07" or "Track 1" may be what a song is called."""
    own = normalise_tags(tags)
    views = [_view(own, normalise_tags(tags, path))]
    whole = normalise_tags(tags, split=False)
    if whole.artist != own.artist:
        views.append(_view(whole, normalise_tags(tags, path, split=False)))
    if tags.title and not own.title and views[0].credit.known:
        views.append(replace(views[0], title=parse_title(tags.title)))
    return tuple(views)


_LEADING_NUMBER = re.compile(r"^0?(?P<number>[1-9]\d?)\s+(?=\S*[^\W\d_])")


def without_leading_number(view: View) -> View | None:
    """The view with a number before its title read as the track's number; None where that cannot be."""
    first = view.title.segments[0] if view.title.segments else ""
    found = _LEADING_NUMBER.match(first)
    if not found or (view.number or int(found["number"])) != int(found["number"]):
        return None
    segments = (first[found.end() :], *view.title.segments[1:])
    return replace(view, title=replace(view.title, segments=segments), number=int(found["number"]))


def _view(own: TrackTags, full: TrackTags) -> View:
    guessed = frozenset(
        name for name in ("title", "artist", "album") if getattr(full, name) != getattr(own, name)
    )
    title = parse_title(full.title) if full.title else NO_TITLE
    credit = _credit(full.artist, full.artists, (), title)
    albums: tuple[Album, ...] = ()
    if full.album:
        place = (full.disc_number, full.track_number, full.date)
        albums = (album(full.album, full.ids.mb_release_id, full.album_artist, *place),)
    return View(
        title=title,
        credit=credit,
        album_credit=credit_of(full.album_artist),
        albums=albums,
        duration_ms=full.duration_ms,
        besides=_imitation((full.artist, full.album_artist)),
        implied=albums[0].implied if albums else frozenset(),
        lent=albums[0].lent if albums else frozenset(),
        number=full.track_number,
        isrcs=frozenset(full.ids.isrcs),
        ids=frozenset(full.ids.mb_recording_ids),
        spotify_ids=frozenset((full.ids.spotify_track_id,)) if full.ids.spotify_track_id else frozenset(),
        release_id=full.ids.mb_release_id,
        artist_ids=frozenset(full.ids.mb_artist_ids),
        year=full.date[:4] if full.date else None,
        guessed=guessed,
        empty=not (full.title or full.artist or full.artists or full.album or full.duration_ms),
    )


def view_of_fields(entity: Entity) -> View:
    """A provider's side."""
    fields = entity.fields
    title = parse_title(fields.get("title") or "") if fields.get("title") else NO_TITLE
    credit = _credit(
        fields.get("artist"), fields.get("artists") or (), fields.get("artist_aliases") or (), title
    )
    found = tuple(albums_in(fields))
    albums = tuple(known for known, _ in found)
    comment = fields.get("disambiguation") or ""
    date = fields.get("original_date") or fields.get("release_date")
    return View(
        title=title,
        credit=credit,
        album_credit=credit_of(fields.get("album_artist")),
        albums=albums,
        duration_ms=fields.get("duration_ms") or None,
        besides=parse_versions(comment) | _imitation((fields.get("artist"),)),
        entries=tuple(entry for _, entry in found),
        implied=frozenset.intersection(*(known.implied for known in albums)) if albums else frozenset(),
        lent=frozenset().union(*(known.lent for known in albums)),
        number=albums[0].number if len(albums) == 1 else fields.get("track_number"),
        isrcs=frozenset(fields.get("isrcs") or ()),
        ids=frozenset({entity.id}) if entity.kind == "recording" else frozenset(),
        spotify_ids=frozenset(
            ({entity.id} if entity.kind == "track" else set()) | set(fields.get("spotify_track_ids") or ())
        ),
        artist_ids=frozenset(fields.get("mb_artist_ids") or ()),
        year=date[:4] if date else None,
        video=bool(fields.get("video")),
    )


def _credit(artist: str | None, artists: Iterable[str], aliases: Iterable[str], title: Title) -> Credit:
    credit = credit_of(artist, artists, aliases)
    if not title.featured:
        return credit
    return Credit(
        credit.whole, credit.names, tuple(dict.fromkeys((*credit.featured, *title.featured))), credit.aliases
    )


def _imitation(names: Iterable[str | None]) -> Versions:
    imitates = any(is_imitation(name) for name in names if name)
    return Versions(frozenset({"cover"})) if imitates else NO_VERSIONS
