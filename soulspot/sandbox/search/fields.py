"""Which fields the recording, release and artist searches have, and what of the catalogue stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from soulspot.sandbox.catalogue.values import Artist, Catalogue, Place, Recording, Release, credit_text
from soulspot.sandbox.search.index import Field, Index, Kind


def recording_index(catalogue: Catalogue) -> Index:
    """The recording search, with the fields of MusicBrainz' Solr schema; merged ids are not in it."""
    recordings = catalogue.recordings

    def own(kind: Kind, values: Callable[[Recording], Iterable[str]]) -> Field:
        return Field(kind, lambda doc: values(recordings[doc]))

    def placed(kind: Kind, value: Callable[[Place], str | None]) -> Field:
        def values(doc: int) -> Iterator[str]:
            for place in catalogue.places(recordings[doc].mbid):
                if (found := value(place)) is not None and found != "":
                    yield found

        return Field(kind, values)

    def dates(doc: int) -> Iterator[str]:
        for place in catalogue.places(recordings[doc].mbid):
            if place.release.date:
                yield place.release.date

    def titles(recording: Recording) -> set[str]:
        return {recording.title} | {place.track.title for place in catalogue.places(recording.mbid)}

    fields = {
        "recording": own("text", titles),
        "recordingaccent": own("accents", lambda r: [r.title]),
        "alias": own("text", lambda r: r.aliases),
        "rid": own("mbid", lambda r: [r.mbid]),
        "comment": own("text", lambda r: [r.disambiguation]),
        "dur": own("number", lambda r: [] if r.duration_ms is None else [str(r.duration_ms)]),
        "qdur": own("number", lambda r: [] if r.duration_ms is None else [str(r.duration_ms // 2000)]),
        "isrc": own("keyword", lambda r: r.isrcs),
        "tag": own("text", lambda r: [name for name, _ in r.tags]),
        "video": own("keyword", lambda r: [str(r.video).lower()]),
        "firstreleasedate": own("date", lambda r: [r.first_release_date] if r.first_release_date else []),
        "artist": own("text", lambda r: [r.artist]),
        "artistname": own("text", lambda r: [part.artist.name for part in r.credit]),
        "creditname": own("text", lambda r: [part.name for part in r.credit]),
        "arid": own("mbid", lambda r: [part.artist.mbid for part in r.credit]),
        "date": Field("date", dates),
        "release": placed("text", lambda p: p.release.title),
        "reid": placed("mbid", lambda p: p.release.mbid),
        "rgid": placed("mbid", lambda p: p.release.group_mbid),
        "tid": placed("mbid", lambda p: p.track.mbid),
        "tnum": placed("number", lambda p: str(p.track.position)),
        "number": placed("keyword", lambda p: p.track.number),
        "position": placed("number", lambda p: str(p.medium.position)),
        "tracks": placed("number", lambda p: str(len(p.medium.tracks))),
        "tracksrelease": placed("number", lambda p: str(len(p.release.tracks))),
        "status": placed("keyword", lambda p: p.release.status),
        "primarytype": placed("keyword", lambda p: p.release.primary_type),
        "format": placed("keyword", lambda p: p.medium.format),
        "country": placed("keyword", lambda p: p.release.country),
        "secondarytype": Field("keyword", partial(_types, catalogue, primary=False)),
        "type": Field("keyword", partial(_types, catalogue, primary=True)),
    }
    return Index(len(recordings), fields, "recording")


def _types(catalogue: Catalogue, doc: int, primary: bool) -> Iterator[str]:
    for place in catalogue.places(catalogue.recordings[doc].mbid):
        yield from place.release.secondary_types
        if primary:
            yield place.release.primary_type


def release_index(catalogue: Catalogue) -> Index:
    """The release search. Barcodes lose leading zeros, catalogue numbers their blanks and hyphens."""
    releases = catalogue.releases

    def own(kind: Kind, values: Callable[[Release], Iterable[str | None]]) -> Field:
        return Field(kind, lambda doc: [value for value in values(releases[doc]) if value])

    fields = {
        "release": own("text", lambda r: [r.title]),
        "releaseaccent": own("accents", lambda r: [r.title]),
        "alias": own("text", lambda r: []),
        "reid": own("mbid", lambda r: [r.mbid]),
        "rgid": own("mbid", lambda r: [r.group_mbid]),
        "artist": own("text", lambda r: [credit_text(r.credit)]),
        "artistname": own("text", lambda r: [part.artist.name for part in r.credit]),
        "creditname": own("text", lambda r: [part.name for part in r.credit]),
        "arid": own("mbid", lambda r: [part.artist.mbid for part in r.credit]),
        "laid": own("mbid", lambda r: [r.label_mbid]),
        "label": own("text", lambda r: [r.label]),
        "catno": own("keyword", lambda r: [r.catno, *_compact(r.catno)]),
        "barcode": own("keyword", lambda r: [r.barcode, *_stripped(r.barcode)]),
        "asin": own("keyword", lambda r: []),
        "comment": own("text", lambda r: [r.disambiguation]),
        "country": own("keyword", lambda r: [r.country]),
        "date": own("date", lambda r: [r.date]),
        "format": own("keyword", lambda r: [medium.format for medium in r.media]),
        "lang": own("keyword", lambda r: ["eng"]),
        "script": own("keyword", lambda r: ["latn"]),
        "mediums": own("number", lambda r: [str(len(r.media))]),
        "discids": own("number", lambda r: ["0"]),
        "tracks": own("number", lambda r: [str(len(r.tracks))]),
        "tracksmedium": own("number", lambda r: [str(len(medium.tracks)) for medium in r.media]),
        "primarytype": own("keyword", lambda r: [r.primary_type]),
        "secondarytype": own("keyword", lambda r: r.secondary_types),
        "type": own("keyword", lambda r: [r.primary_type, *r.secondary_types]),
        "status": own("keyword", lambda r: [r.status]),
        "tag": own("text", lambda r: [name for name, _ in r.tags]),
    }
    return Index(len(releases), fields, "release")


def artist_index(catalogue: Catalogue) -> Index:
    """The artist search. A word without a field is looked for in the name."""
    artists = catalogue.artists

    def own(kind: Kind, values: Callable[[Artist], Iterable[str | None]]) -> Field:
        return Field(kind, lambda doc: [value for value in values(artists[doc]) if value])

    fields = {
        "artist": own("text", lambda a: [a.name]),
        "artistaccent": own("accents", lambda a: [a.name]),
        "sortname": own("text", lambda a: [a.sort_name]),
        "alias": own("text", lambda a: a.aliases),
        "arid": own("mbid", lambda a: [a.mbid]),
        "comment": own("text", lambda a: [a.disambiguation]),
        "country": own("keyword", lambda a: [a.country]),
        "type": own("keyword", lambda a: [a.type]),
        "tag": own("text", lambda a: [name for name, _ in a.tags]),
    }
    return Index(len(artists), fields, "artist")


def _compact(text: str | None) -> list[str]:
    return [text.replace(" ", "").replace("-", "")] if text else []


def _stripped(text: str | None) -> list[str]:
    return [text.lstrip("0")] if text else []
