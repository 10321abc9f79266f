"""Names of files and folders read as tags, in the shapes that programs and people give them."""

import re
from collections.abc import Collection

from soulspot.matching.text.discs import disc_folder, number_named
from soulspot.matching.text.names import is_various
from soulspot.matching.text.vocabulary import (
    NAMELESS_FOLDER,
    NUMBER_WORDS,
    NUMBERED_WORDS,
    SHELVES,
    SIDE_WORDS,
    TRACK_WORDS,
)
from soulspot.matching.versions.parsing import parse_versions
from soulspot.models import TrackTags
from soulspot.text import bare_title, fold

DASH = re.compile(r"\s+[-–—]\s+|(?<=_)-(?=_)")
YEAR_TAIL = re.compile(r"\s*[(\[](?P<year>(?:19|20)\d\d)(?:[-.]\d\d)*[)\]]")
_YEAR_HEAD = re.compile(r"^[(\[]?(?P<year>(?:19|20)\d\d)[)\]]?\s*[-–.]?\s+(?=\S)")
_FORMAT_TAIL = re.compile(
    r"(?i)\s*[(\[{](?:flac|mp3|ogg|opus|aac|alac|wav|web|cd|vinyl|v0|v2|320|16|24|hi-?res|lossless|cdrip)\b[^)\]}]*[)\]}]"
)
# Where music lies on a machine: the names before it are those of people and disks.
_BEFORE_MUSIC = re.compile(
    rb"^/(?:(?:home|Users)/[^/]+|root|mnt/[^/]+|media/[^/]+(?:/[^/]+)?|run/media/[^/]+/[^/]+|Volumes/[^/]+|volume\d+|srv"
    rb"|var/lib|data|tmp)/"
)
_SUFFIX = re.compile(r"(?i)\.(?:mp3|flac|ogg|oga|opus|m4a|wav|aiff?|wma|aac|ape|wv|[a-z0-9]{1,5})$")
_SECOND_SUFFIX = re.compile(r"(?i)\.(?:mp3|flac|ogg|opus|m4a|wav|aiff|wma|aac)$")

# --- discs ----------------------------------------------------------------------------------------

# "Harbour (Disc 2)", "Harbour - CD 1", "Harbour CD2": the album's own name stands before it
_DISC_TAIL = re.compile(
    r"(?i)(?:\s*[-–—,]?\s*[(\[]\s*|\s+[-–—]\s+|\s+)(?:cd|disc|disk|lp|vinyl)\s*[-_.#]?\s*"
    rf"(?P<disc>\d{{1,2}}|{'|'.join(NUMBER_WORDS)})\s*[)\]]?$"
)

# --- numbers at the beginning of a file's name, the surest first ----------------------------------

_SEPARATOR = r"(?:\s*[-–—._)\]:、：；]+\s*|\s+)"
_NUMBERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^d(?P<disc>\d{{1,2}})\s*t(?P<number>\d{{1,3}}){_SEPARATOR}(?=\S)",
        rf"^(?:cd|disc|disk)\s*(?P<disc>\d{{1,2}})\s*[-_.\s]\s*(?:t|track\s*)?(?P<number>\d{{1,3}}){_SEPARATOR}(?=\S)",
        rf"^(?P<disc>\d{{1,2}})x(?P<number>\d{{2,3}}){_SEPARATOR}(?=\S)",
        rf"^d(?P<disc>\d)[-.](?P<number>\d{{2}}){_SEPARATOR}(?=\S)",
        rf"^(?:{'|'.join(TRACK_WORDS)})\s*[-_#.]?\s*(?:n[or])?(?P<number>\d{{1,3}}){_SEPARATOR}(?=\S)",
        rf"^(?:{'|'.join(NUMBERED_WORDS)})\.?\s*(?P<number>\d{{1,3}})\s*[-–—]\s*(?=\S)",
        rf"^(?:№\s*|#|t|trk)(?P<number>\d{{2,3}}){_SEPARATOR}(?=\S)",
        rf"^(?:{'|'.join(SIDE_WORDS)})\s*(?P<side>[a-h])\s*[-–.]?\s*(?P<number>\d{{1,2}}){_SEPARATOR}(?=\S)",
        r"^[(\[{<](?P<number>\d{1,3})[)\]}>]\s*[-–._]*\s*(?=\S)",
        r"^(?P<number>\d{1,2})(?P<side>[a-d])\s*[-–.]\s*(?=\S)",
        rf"^(?:(?P<disc>\d{{1,2}})[-.](?=\d{{2}}\b))?(?P<number>\d{{1,3}}){_SEPARATOR}(?=\S)",
    )
)  # fmt: skip
# "A1 - Title", "AA2 Title": a side of a record and the number on it. U2, M83 and L7 are artists.
_ON_SIDE = re.compile(
    rf"^[(\[]?(?P<side>([A-K])\2?|[a-k](?=\d{{1,2}}\s*[-.)\]]))(?P<number>0?\d|1\d|20){_SEPARATOR}(?=\S)"
)
# "Artist - 03 - Title", "Artist - [03] - Title", "Artist - [Album #03] - Title"
_INNER_NUMBER = re.compile(r"^(?:[(\[]?(?P<number>\d{1,3})[)\]]?|\[.*#(?:\d\.)?(?P<of_album>\d{1,3})\])$")
_SIDE_ALONE = re.compile(r"^(?P<side>[A-H])\s*[-–.]\s+(?=\S)")
# "03-mara_quill-slow_kite", as releases of the scene are named
_SCENE_FILE = re.compile(
    r"^(?:(?P<disc>[1-9])?(?P<number>\d{2})|(?P<side>[a-k])(?P<at>\d))[-_](?P<artist>[^-\s]+)-(?P<title>[^\s]+)$"
)
_SCENE_FOLDER = re.compile(
    r"^(?P<artist>[^-\s]+)-(?P<album>[^\s]+?)-(?:[^-\s]+-)*?(?P<year>(?:19|20)\d\d)(?:-[^-\s]+)*$"
)


def music_path(path: bytes, roots: Collection[bytes] = ()) -> bytes:
    """Return the part of a path that names music: what lies below the innermost of the `roots`.

    A root's own name, and those above it, are a person's business: they are never searched for. Of
    a path outside all roots, the usual beginnings ("/home/NAME/", "/mnt/DISK/") are left out."""
    at = len(path)
    while (at := path.rfind(b"/", 0, at)) >= 0:
        if path[:at] in roots or path[: at + 1] in roots:
            return path[at + 1 :]
    return _BEFORE_MUSIC.sub(b"", path)


def guess_from_path(path: bytes) -> TrackTags:
    """Return the tags that the last two folders and the file name suggest.
    >>> guess = guess_from_path(b"Mara Quill/Harbour (2001)/03 - Paper Boats.flac")
    >>> guess.artist, guess.album, guess.date, guess.track_number, guess.title
    ('Mara Quill', 'Harbour', '2001', 3, 'Paper Boats')"""
    raw = [p for p in path.decode("utf-8", "replace").split("/") if p.strip(". ")]
    if not raw:
        return TrackTags()
    stem = _SECOND_SUFFIX.sub("", _SUFFIX.sub("", raw.pop()))
    disc = None
    artist, album, date, disc = _guess_from_folders(raw)
    if raw and (folder := disc_folder(raw[-1])):
        above = _guess_from_folders(raw[:-1])
        # "Vera Lind/Volume 2" is an album, "Vera Lind/Low Tide/Volume 2" a disc of one
        if folder.is_sure or above[0] is not None:
            artist, album, date, disc = *above[:3], folder.number or above[3]
            raw.pop()
    if found := _scene_title(stem, artist):
        title = found["title"]
        # a release's group signs its folder and its files
        if raw and _SCENE_FOLDER.match(raw[-1]):
            title = title.removesuffix(f"-{raw[-1].rpartition('-')[2]}".lower())
        return _tags(title.replace("_", " "), found["artist"].replace("_", " "), artist, album, date,
                     int(found["number"] or found["at"]), disc or _disc_number(found["disc"] or found["side"]))  # fmt: skip
    stem = _read_piece(stem)
    if _says_nothing(raw, stem, artist):
        # "phone backup/832/Artist - Title": a nameless folder says nothing, nor the one above.
        artist = album = date = None
    number, on_disc, stem = _split_number(stem, is_in_album=album is not None, is_by_artist=artist is not None)
    parts = [p.strip() for p in DASH.split(stem) if fold(p) or p.strip()]
    track_artist = None
    if len(parts) > 2 and album and fold(parts[1]) == fold(album):
        del parts[1]
    if len(parts) >= 3 and (inner := _INNER_NUMBER.match(parts[-2])):
        number = number or int(inner["number"] or inner["of_album"]) or None
        del parts[-2]
    if artist and len(parts) == 1 and parts[0].casefold().startswith(f"{artist.casefold()}-"):
        parts = [artist, parts[0][len(artist) + 1 :].strip()]
    if len(parts) >= 2 and (artist is None or fold(parts[0]) == fold(artist) or is_various(artist)):
        track_artist, parts = parts[0], parts[1:]
    return _tags(" - ".join(parts), track_artist, artist, album, date, number, on_disc or disc)


def _tags(
    title: str, track_artist: str | None, artist: str | None, album: str | None, date: str | None,
    number: int | None, disc: int | None,
) -> TrackTags:  # fmt: skip
    return TrackTags(
        title=title or None,
        artist=track_artist or (None if is_various(artist) else artist),
        album=album,
        album_artist=artist,
        track_number=number,
        disc_number=disc,
        date=date,
        compilation=is_various(artist),
    )


def _disc_number(text: str | None) -> int | None:
    number = number_named(text)
    # letters are sides, and two sides are one record
    return (number + 1) // 2 if number and text and len(text) == 1 and text.isalpha() else number


def _scene_title(stem: str, artist: str | None) -> re.Match[str] | None:
    found = _SCENE_FILE.match(stem)
    if found is None:
        return None
    # "03-slow_kite-live" has no artist: only underscores, or the folder's artist, make it likely
    is_theirs = artist is not None and fold(found["artist"]).replace(" ", "") == fold(artist).replace(" ", "")
    return found if is_theirs or "_" in stem else None


def _says_nothing(folders: list[str], stem: str, artist: str | None) -> bool:
    parts = [part for part in DASH.split(stem) if not part.strip().isdecimal()]
    return (
        len(parts) == 2
        and bool(folders)
        and NAMELESS_FOLDER.match(fold(folders[-1])) is not None
        and not (artist and fold(parts[0]) == fold(artist))
        and not parse_versions(bare_title(parts[1]) or parts[1]).kinds
    )


def _split_number(stem: str, *, is_in_album: bool, is_by_artist: bool) -> tuple[int | None, int | None, str]:
    """Return number, disc and the rest of a file's name."""
    for pattern in _NUMBERS:
        if found := pattern.match(stem):
            groups = found.groupdict()
            disc = _disc_number(groups.get("disc") or groups.get("side"))
            return int(found["number"]) or None, disc, stem[found.end() :]
    # In an album a letter and a number are a side and its track; elsewhere they may be an artist.
    if is_in_album and (found := _ON_SIDE.match(stem)):
        return int(found["number"]), _disc_number(found["side"][0]), stem[found.end() :]
    if is_by_artist and (found := _SIDE_ALONE.match(stem)):
        return 1, _disc_number(found["side"]), stem[found.end() :]
    return None, None, stem


def _guess_from_folders(raw: list[str]) -> tuple[str | None, str | None, str | None, int | None]:
    """Return (artist, album, year, disc) by the last two folders; shelves ("Music") name
    nothing."""
    if raw and (scene := _SCENE_FOLDER.match(raw[-1])):
        by, named = (_read_piece(scene[name]) for name in ("artist", "album"))
        return (None if is_various(by) else by), _DISC_TAIL.sub("", named), scene["year"], None
    pieces = [_read_piece(piece) for piece in raw]
    disc = None
    found = _DISC_TAIL.search(pieces[-1]) if len(pieces) > 1 else None
    if found and fold(pieces[-1][: found.start()]) == fold(_split_year(pieces[-2])[0] or ""):
        # ".../Harbour/Harbour (Disc 2)/": the folder of a disc, with the album's name once more
        disc = _disc_number(found["disc"])
        pieces.pop()
    folders = [piece for piece in pieces[-2:] if fold(piece) not in SHELVES]
    artist = folders[0] if len(folders) == 2 else None
    if not folders or (len(folders) == 1 and fold(pieces[-1]) in SHELVES):
        return artist, None, None, disc
    name = folders[-1]
    if found := _DISC_TAIL.search(_FORMAT_TAIL.sub("", name)):
        name, disc = _FORMAT_TAIL.sub("", name)[: found.start()], _disc_number(found["disc"])
    album, date = _split_year(name)
    parts = DASH.split(album, maxsplit=1) if album else []
    if len(parts) == 2 and (artist is None or fold(parts[0]) == fold(artist)):
        artist = parts[0].strip()
        album, later = _split_year(parts[1].strip())
        date = date or later
    return artist, album, date, disc


def _read_piece(piece: str) -> str:
    piece = piece.replace("_", " ") if " " not in piece else piece
    return " ".join(piece.split())


def _split_year(folder: str) -> tuple[str | None, str | None]:
    """Return (album, year) of a folder's name: "2001 - Harbour [FLAC]" is "Harbour" of "2001"."""
    name = _FORMAT_TAIL.sub("", folder)
    found = YEAR_TAIL.search(name) or _YEAR_HEAD.match(name)
    if found:
        name = (name[: found.start()] + " " + name[found.end() :]).strip()
    return name.strip() or None, (found["year"] if found else None)
