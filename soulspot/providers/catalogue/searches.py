"""Searches in a catalogue: the artist first, then the title within the artist's own titles.

Each function takes queries of one kind, and returns for each the numbers of what it found, as
lenient as a search of the web service: matching decides later."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

from soulspot.models import Query
from soulspot.providers import ids
from soulspot.providers.catalogue.keys import credit_keys, slip_numbers, title_key
from soulspot.providers.catalogue.reader import Catalogue
from soulspot.providers.musicbrainz.name_search import VARIOUS_ARTISTS
from soulspot.providers.musicbrainz.text_search import EXACT, LOOSE, NARROW, allowed_difference, tagged_length
from soulspot.text import fold, latin

MOST = 100  # hits of a query, as many as the web service shows
MOST_ARTISTS = 50  # of one name; among more, the name tells nothing
MOST_TITLES = 20_000  # of one artist that are compared with a misspelt title
NEAR_TITLE = 75.0  # likeness of keys, 0 to 100

Numbers = list[list[int]]  # for each query, the likeliest first


def find_artists(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "artist" queries: artists that go by this name, else those called nearly so."""
    names = [query["name"] for query in queries]
    return _artists_or_near(catalogue, names)


def find_by_text(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "text" queries: recordings of this title by this artist, as long as the query's."""
    artists = _artists_called(catalogue, [query.get("artist") or "" for query in queries])
    titled = _titled(catalogue, artists, [_title_keys(query["title"]) for query in queries])
    return [
        _nearest_in_length(found, tagged_length(query), NARROW, unknown=catalogue.about.names_only)
        for query, found in zip(queries, titled, strict=True)
    ]


def find_by_names(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "names" queries: recordings of this title by this artist, the likest title first."""
    artists = _artists_called(catalogue, [query.get("artist") or "" for query in queries])
    titled = _titled(catalogue, artists, [_title_keys(query["title"]) for query in queries])
    names = dict(
        catalogue.rows(
            "SELECT r.id, r.name FROM json_each(?) j JOIN recording r ON r.id = j.value",
            list({number for found in titled for number, _ in found}),
        )
    )
    answers = []
    for query, found in zip(queries, titled, strict=True):
        unlike = {number: -fuzz.ratio(fold(query["title"]), fold(names[number])) for number, _ in found}
        answers.append(sorted(unlike, key=lambda number: (unlike[number], number))[:MOST])
    return answers


def find_loosely(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "loose" queries: title or artist misspelt, no known length, or another name for both
    on an album that has a recording of exactly this length."""
    artists = _artists_or_near(catalogue, [query.get("artist") or "" for query in queries])
    titled = _titled(catalogue, artists, [_title_keys(query["title"]) for query in queries])
    on_albums = _on_albums(catalogue, queries)
    answers = []
    for query, several, exact, on_album in zip(queries, artists, titled, on_albums, strict=True):
        length = tagged_length(query)
        found = exact or _nearly_titled(catalogue, several, query["title"])
        answers.append([*_nearest_in_length(found, length, LOOSE, unknown=True), *on_album])
    return [list(dict.fromkeys(answer))[:MOST] for answer in answers]


def find_by_artist(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "by_artist" queries: everything of these artists that is exactly as long."""
    numbers = catalogue.by_mbid("artist", {mbid for query in queries for mbid in query["arid"].split()})
    answers = []
    for query in queries:
        artists = [numbers[mbid] for mbid in query["arid"].split() if mbid in numbers]
        found = catalogue.rows(
            "SELECT t.recording, t.length FROM json_each(?) j JOIN title t ON t.artist = j.value", artists
        )
        answers.append(_nearest_in_length(found, tagged_length(query), EXACT, unknown=False))
    return answers


def find_albums(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "album" queries: by name and artist, by artists and number of tracks, or of whosever
    name and number of tracks; without any of them, compilations of that name."""
    named = _artists_called(catalogue, [query.get("artist") or "" for query in queries])
    arids = {mbid for query in queries for mbid in (query.get("arid") or VARIOUS_ARTISTS).split()}
    numbers = catalogue.by_mbid("artist", arids)
    answers = []
    for query, artists in zip(queries, named, strict=True):
        keys, tracks = _title_keys(query["album"]), query.get("tracks")
        if query.get("arid") or not (query.get("artist") or tracks):
            artists = [numbers[mbid] for mbid in (query.get("arid") or VARIOUS_ARTISTS).split() if mbid in numbers]
        found = catalogue.rows(
            "SELECT a.release, a.artist, a.tracks FROM json_each(?) j JOIN album a ON a.key = j.value", keys
        )
        if query.get("arid") or not tracks:
            hits = [release for release, artist, _ in found if artist in artists]
        else:
            hits = [release for release, _, size in found if str(size) == tracks]
        if query.get("arid") and tracks:
            sized = "SELECT a.release FROM json_each(?) j JOIN album a ON a.artist = j.value AND a.tracks = ?"
            hits += [release for (release,) in catalogue.rows(sized, artists, int(tracks))]
        answers.append(list(dict.fromkeys(hits))[:MOST])
    return answers


def find_by_isrc(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "isrc" queries."""
    isrcs = [ids.parse_isrc(query["isrc"]) for query in queries]
    return _each(catalogue, "SELECT j.value, t.recording FROM json_each(?) j JOIN isrc t ON t.isrc = j.value", isrcs)


def find_by_link(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "url" queries: recordings that people relate to a Spotify track."""
    links = [query["spotify_id"].strip() for query in queries]
    sql = "SELECT j.value, t.recording FROM json_each(?) j JOIN link t ON t.spotify_id = j.value"
    return _each(catalogue, sql, links)


def find_on_releases(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Answer "release" queries: all on the release, or on the one it was merged into."""
    mbids = [ids.parse_mbid(query["mbid"]) or "" for query in queries]
    numbers = catalogue.merged("release", mbids) | catalogue.by_mbid("release", mbids)
    sql = (
        "SELECT j.value, p.recording FROM json_each(?) j JOIN medium m ON m.release = j.value "
        "JOIN place p ON p.medium = m.id ORDER BY m.position, p.position"
    )
    return _each(catalogue, sql, [numbers.get(mbid) for mbid in mbids])


def _each(catalogue: Catalogue, sql: str, values: Sequence[object]) -> Numbers:
    found = _grouped(catalogue.rows(sql, [value for value in dict.fromkeys(values) if value is not None]))
    return [list(dict.fromkeys(found.get(value, ()))) for value in values]


# --- artists --------------------------------------------------------------------------------------


def _artists_called(catalogue: Catalogue, names: Sequence[str]) -> Numbers:
    """Return the artists that go by each name, or by the first name of the credit."""
    keys = [credit_keys(name) for name in names]
    by_key = _grouped(
        catalogue.rows(
            "SELECT j.value, n.artist FROM json_each(?) j JOIN artist_name n ON n.key = j.value",
            list({key for several in keys for key in several}),
        )
    )
    found = (dict.fromkeys(artist for key in several for artist in by_key.get(key, ())) for several in keys)
    return [list(artists)[:MOST_ARTISTS] for artists in found]


def _artists_or_near(catalogue: Catalogue, names: Sequence[str]) -> Numbers:
    """Return the artists that go by each name; where there are none, those called nearly so."""
    found = _artists_called(catalogue, names)
    unknown = [name for name, artists in zip(names, found, strict=True) if name and not artists]
    near = dict(zip(unknown, _artists_nearly_called(catalogue, unknown), strict=True))
    return [artists or near.get(name, []) for name, artists in zip(names, found, strict=True)]


def _artists_nearly_called(catalogue: Catalogue, names: Sequence[str]) -> Numbers:
    keys = [credit_keys(name) for name in names]
    slips = {key: slip_numbers(key) for several in keys for key in several}
    by_number = _grouped(
        catalogue.rows(
            "SELECT j.value, s.artist FROM json_each(?) j JOIN slip s ON s.number = j.value",
            list({number for several in slips.values() for number in several}),
        )
    )
    found = []
    for several in keys:
        artists = [artist for key in several for number in slips[key] for artist in by_number.get(number, ())]
        found.append(list(dict.fromkeys(artists))[:MOST_ARTISTS])
    return found


# --- titles ---------------------------------------------------------------------------------------


def _title_keys(title: str) -> list[str]:
    return list(dict.fromkeys((title_key(title), title_key(latin(title)))))


def _titled(
    catalogue: Catalogue, artists: Sequence[Sequence[int]], keys: Sequence[Sequence[str]]
) -> list[list[tuple[int, int | None]]]:
    """Return (recording, length) of these artists' titles with these keys, for each query."""
    wanted = [(artist, key) for several, of in zip(artists, keys, strict=True) for artist in several for key in of]
    found = defaultdict(list)
    for artist, key, recording, length in catalogue.rows(
        "SELECT t.artist, t.key, t.recording, t.length FROM json_each(?) j "
        "JOIN title t ON t.artist = j.value ->> 0 AND t.key = j.value ->> 1",
        list(dict.fromkeys(wanted)),
    ):
        found[artist, key].append((recording, length))
    return [
        [one for artist in several for key in of for one in found.get((artist, key), ())]
        for several, of in zip(artists, keys, strict=True)
    ]


def _nearly_titled(catalogue: Catalogue, artists: Sequence[int], title: str) -> list[tuple[int, int | None]]:
    rows = catalogue.rows(
        "SELECT t.key, t.recording, t.length FROM json_each(?) j JOIN title t ON t.artist = j.value LIMIT ?",
        list(artists), MOST_TITLES,
    )  # fmt: skip
    hits = []
    for key in _title_keys(title):
        near = process.extract(
            key, [row[0] for row in rows], scorer=fuzz.ratio, processor=None, score_cutoff=NEAR_TITLE, limit=MOST
        )
        hits += [rows[place][1:] for _, _, place in near]
    return hits


def _nearest_in_length(
    found: Iterable[tuple[int, int | None]], wanted: int | None, usual: int, *, unknown: bool
) -> list[int]:
    """Return the recordings within `usual` milliseconds of the wanted length, the nearest first,
    and with `unknown` those without a length behind them."""
    if wanted is None:
        return list(dict.fromkeys(number for number, _ in found))[:MOST]
    most = allowed_difference(wanted, usual)
    apart = {number: abs(length - wanted) for number, length in found if length}
    near = sorted((number for number, by in apart.items() if by <= most), key=apart.__getitem__)
    without = [number for number, length in found if unknown and not length]
    return list(dict.fromkeys((*near, *without)))[:MOST]


def _on_albums(catalogue: Catalogue, queries: Sequence[Query]) -> Numbers:
    """Return the recordings of exactly the query's length on albums of its name."""
    answers: Numbers = []
    for query in queries:
        album, length = query.get("album"), tagged_length(query)
        if not album or not length:
            answers.append([])
            continue
        rows = catalogue.rows(
            "SELECT DISTINCT p.recording, r.length FROM json_each(?) j JOIN album a ON a.key = j.value "
            "JOIN medium m ON m.release = a.release JOIN place p ON p.medium = m.id "
            "JOIN recording r ON r.id = p.recording WHERE r.length BETWEEN ? AND ? LIMIT ?",
            _title_keys(album), length - allowed_difference(length, EXACT),
            length + allowed_difference(length, EXACT), MOST,
        )  # fmt: skip
        answers.append(_nearest_in_length(rows, length, EXACT, unknown=False))
    return answers


def _grouped(rows: Iterable[tuple[object, int]]) -> dict[object, list[int]]:
    found = defaultdict(list)
    for key, number in rows:
        found[key].append(number)
    return found
