"""The fields of the recording, release and artist searches, as in MusicBrainz' Solr schema."""

from collections.abc import Callable, Iterable

from soulspot.sandbox.catalogue.values import Catalogue, Place
from soulspot.sandbox.search.index import Field, Index, Kind, fields_of


def recording_index(catalogue: Catalogue) -> Index:
    """Return the index of the recording search. Merged MBIDs are not in it."""
    field = fields_of(catalogue.recordings)

    def on_release(kind: Kind, values: Callable[[Place], Iterable[str | None]]) -> Field:
        """Return a field with the values of every place that a recording has on a release."""
        return field(kind, lambda r: [value for place in catalogue.places(r.mbid) for value in values(place)])

    fields = {
        "recording": field(
            "text", lambda r: dict.fromkeys([r.title, *(p.track.title for p in catalogue.places(r.mbid))])
        ),
        "recordingaccent": field("accents", lambda r: [r.title]),
        "alias": field("text", lambda r: r.aliases),
        "rid": field("mbid", lambda r: [r.mbid]),
        "comment": field("text", lambda r: [r.disambiguation]),
        "dur": field("number", lambda r: [] if r.duration_ms is None else [str(r.duration_ms)]),
        "qdur": field("number", lambda r: [] if r.duration_ms is None else [str(r.duration_ms // 2000)]),
        "isrc": field("keyword", lambda r: r.isrcs),
        "tag": field("text", lambda r: [name for name, _ in r.tags]),
        "video": field("keyword", lambda r: [str(r.video)]),
        "firstreleasedate": field("date", lambda r: [r.first_release_date]),
        "artist": field("text", lambda r: [r.artist]),
        "artistname": field("text", lambda r: [part.artist.name for part in r.credit]),
        "creditname": field("text", lambda r: [part.name for part in r.credit]),
        "arid": field("mbid", lambda r: [part.artist.mbid for part in r.credit]),
        "date": on_release("date", lambda p: [p.release.date]),
        "release": on_release("text", lambda p: [p.release.title]),
        "reid": on_release("mbid", lambda p: [p.release.mbid]),
        "rgid": on_release("mbid", lambda p: [p.release.group_mbid]),
        "tid": on_release("mbid", lambda p: [p.track.mbid]),
        "tnum": on_release("number", lambda p: [str(p.track.position)]),
        "number": on_release("keyword", lambda p: [p.track.number]),
        "position": on_release("number", lambda p: [str(p.medium.position)]),
        "tracks": on_release("number", lambda p: [str(len(p.medium.tracks))]),
        "tracksrelease": on_release("number", lambda p: [str(len(p.release.tracks))]),
        "status": on_release("keyword", lambda p: [p.release.status]),
        "primarytype": on_release("keyword", lambda p: [p.release.primary_type]),
        "format": on_release("keyword", lambda p: [p.medium.format]),
        "country": on_release("keyword", lambda p: [p.release.country]),
        "secondarytype": on_release("keyword", lambda p: p.release.secondary_types),
        "type": on_release("keyword", lambda p: [p.release.primary_type, *p.release.secondary_types]),
    }
    return Index(len(catalogue.recordings), fields, "recording")


def release_index(catalogue: Catalogue) -> Index:
    """Return the index of the release search, with barcodes and catalogue numbers short too."""
    field = fields_of(catalogue.releases)
    fields = {
        "release": field("text", lambda r: [r.title]),
        "releaseaccent": field("accents", lambda r: [r.title]),
        "alias": field("text", lambda r: []),
        "reid": field("mbid", lambda r: [r.mbid]),
        "rgid": field("mbid", lambda r: [r.group_mbid]),
        "artist": field("text", lambda r: [r.artist]),
        "artistname": field("text", lambda r: [part.artist.name for part in r.credit]),
        "creditname": field("text", lambda r: [part.name for part in r.credit]),
        "arid": field("mbid", lambda r: [part.artist.mbid for part in r.credit]),
        "laid": field("mbid", lambda r: [r.label_mbid]),
        "label": field("text", lambda r: [r.label]),
        "catno": field("keyword", lambda r: [r.catno, (r.catno or "").replace(" ", "").replace("-", "")]),
        "barcode": field("keyword", lambda r: [r.barcode, (r.barcode or "").lstrip("0")]),
        "asin": field("keyword", lambda r: []),
        "comment": field("text", lambda r: [r.disambiguation]),
        "country": field("keyword", lambda r: [r.country]),
        "date": field("date", lambda r: [r.date]),
        "format": field("keyword", lambda r: [medium.format for medium in r.media]),
        "lang": field("keyword", lambda r: ["eng"]),
        "script": field("keyword", lambda r: ["latn"]),
        "mediums": field("number", lambda r: [str(len(r.media))]),
        "discids": field("number", lambda r: ["0"]),
        "tracks": field("number", lambda r: [str(len(r.tracks))]),
        "tracksmedium": field("number", lambda r: [str(len(medium.tracks)) for medium in r.media]),
        "primarytype": field("keyword", lambda r: [r.primary_type]),
        "secondarytype": field("keyword", lambda r: r.secondary_types),
        "type": field("keyword", lambda r: [r.primary_type, *r.secondary_types]),
        "status": field("keyword", lambda r: [r.status]),
        "tag": field("text", lambda r: [name for name, _ in r.tags]),
    }
    return Index(len(catalogue.releases), fields, "release")


def artist_index(catalogue: Catalogue) -> Index:
    """Return the index of the artist search. Words without a field are looked for in the name."""
    field = fields_of(catalogue.artists)
    fields = {
        "artist": field("text", lambda a: [a.name]),
        "artistaccent": field("accents", lambda a: [a.name]),
        "sortname": field("text", lambda a: [a.sort_name]),
        "alias": field("text", lambda a: a.aliases),
        "arid": field("mbid", lambda a: [a.mbid]),
        "comment": field("text", lambda a: [a.disambiguation]),
        "country": field("keyword", lambda a: [a.country]),
        "type": field("keyword", lambda a: [a.type]),
        "tag": field("text", lambda a: [name for name, _ in a.tags]),
    }
    return Index(len(catalogue.artists), fields, "artist")
