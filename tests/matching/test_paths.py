"""Files without tags are known by the names that programs and people give files and folders."""

from __future__ import annotations

import pytest

from soulspot.matching import music_path, normalise_tags
from soulspot.models import TrackTags

FOLDER = "Vera Lind/Low Tide/"


def guess(path: str) -> TrackTags:
    return normalise_tags(TrackTags(), path.encode())


@pytest.mark.parametrize(
    ("folder", "disc"),
    [
        ("CD1", 1), ("CD 2", 2), ("Disc 2", 2), ("Disk-3", 3), ("Digital Media 01", 1), ("Digital Media 2", 2),
        ('12" Vinyl 1', 1), ("7” Vinyl 2", 2), ("12'' Vinyl 3", 3), ("LP1", 1), ("LP 2", 2), ("Vinyl 2", 2), ("Side A", 1),
        ("Side C", 2), ("Seite B", 1), ("Bonus Disc", None), ("Vol. 2", 2), ("Volume 3", 3), ("Blu-ray", None),
        ("Cassette 1", 1), ("Tape 2", 2), ("Medium 2", 2), ("Disc 1 - The Show", 1), ("CD2 (Live)", 2), ("SACD 1", 1),
        ("Low Tide (Disc 2)", 2), ("Low Tide CD1", 1), ("Low Tide - Disc 2", 2), ("Диск 2", 2), ("CD_2", 2),
        ("Disc Two", 2), ("Disc II", 2), ("Disque deux", 2), ("CD B", 2), ("LP 1 Side A", 1), ("A-Side", 1), ("Lado B", 1),
        ("Side 3", 2), ("Side One", 1), ("Disc 1 of 2", 1), ("CD1of2", 1), ("[CD1]", 1), ("{CD2}", 2), ("(Disc 1)", 1),
        ("Disc1_The Show", 1), ("Hybrid SACD 1", 1), ("SHM-CD 2", 2), ("Enhanced CD 1", 1), ("8cm CD 1", 1),
        ("12 inch Vinyl 2", 2), ("12″ Vinyl 1", 1), ("DVD Audio 1", 1), ("USB Flash Drive 1", 1), ("Reel-to-reel 1", 1),
        ("Dysk 1", 1), ("Skiva 2", 2), ("Vinile 1", 1), ("Kassette 2", 2), ("Bonus Tracks", None), ("Part 2", 2),
        ("第1碟", 1), ("盘 1", 1), ("ディスク2", 2), ("Low Tide Disc Two", 2),
    ],
)  # fmt: skip
def test_the_folder_of_a_disc_is_neither_album_nor_artist(folder: str, disc: int | None) -> None:
    tags = guess(f"{FOLDER}{folder}/03 - Blue Door.flac")
    assert (tags.artist, tags.album, tags.title, tags.track_number) == ("Vera Lind", "Low Tide", "Blue Door", 3)
    assert tags.disc_number == disc


@pytest.mark.parametrize(
    "folder", ["Discovery", "Side Effects", "Tapestry", "Vinyl Days", "Media Luna", "LPs and Me", "Volumes of You"]
)
def test_an_album_whose_name_begins_like_a_disc_is_an_album(folder: str) -> None:
    tags = guess(f"Vera Lind/{folder}/03 - Blue Door.flac")
    assert (tags.artist, tags.album, tags.disc_number) == ("Vera Lind", folder, None)


# below an artist alone
ALBUMS = ["Volume 2", "Vol. 3", "Vinyl", "Face à face", "Side A", "Digital", "EP"]


@pytest.mark.parametrize("folder", ALBUMS)
def test_what_may_be_the_name_of_an_album_is_one_below_an_artist_alone(folder: str) -> None:
    tags = guess(f"Vera Lind/{folder}/03 - Blue Door.flac")
    assert (tags.artist, tags.album, tags.disc_number) == ("Vera Lind", folder, None)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("03 Blue Door", 3), ("03. Blue Door", 3), ("03_Blue_Door", 3), ("1-03 Blue Door", 3), ("[03] Blue Door", 3),
        ("(03) Blue Door", 3), ("[3] - Blue Door", 3), ("03] Blue Door", 3), ("Track 03 - Blue Door", 3),
        ("track03 Blue Door", 3), ("Track 3. Blue Door", 3), ("Titel 03 - Blue Door", 3), ("Piste 3 - Blue Door", 3),
        ("Pista 03 Blue Door", 3), ("Spår 3 - Blue Door", 3), ("D1T03 Blue Door", 3), ("CD2-09 Blue Door", 9),
        ("CD1 09 - Blue Door", 9), ("1x03 - Blue Door", 3), ("A1 - Blue Door", 1), ("B2. Blue Door", 2),
        ("E1 - Blue Door", 1), ("F2. Blue Door", 2), ("H3 Blue Door", 3), ("AA1 - Blue Door", 1), ("BB2 Blue Door", 2),
        ("B - Blue Door", 1), ("1A - Blue Door", 1), ("2B. Blue Door", 2), ("03 Blue Door.mp3", 3),
        ("03 Vera Lind - Blue Door", 3), ("Vera Lind - 03 - Blue Door", 3), ("Vera Lind - Low Tide - 03 - Blue Door", 3),
        ("03-vera_lind-blue_door", 3), ("03_vera_lind-blue_door", 3), ("103-vera_lind-blue_door", 3),
        ("03 - Vera Lind - Blue Door", 3), ("003 Blue Door", 3), ("Vera Lind - [03] - Blue Door", 3),
        ("Vera Lind - [Low Tide #03] - Blue Door", 3), ("#03 Blue Door", 3), ("No. 3 - Blue Door", 3), ("№3 - Blue Door", 3),
        ("n°3 - Blue Door", 3), ("T03 Blue Door", 3), ("Trk03 Blue Door", 3), ("Side A - 01 - Blue Door", 1),
        ("Seite B 02 Blue Door", 2), ("A01 - Blue Door", 1), ("a1 - Blue Door", 1), ("[A1] Blue Door", 1),
        ("(B2) Blue Door", 2), ("{03} Blue Door", 3), ("03— Blue Door", 3), ("03、Blue Door", 3),
        ("Kappale 03 - Blue Door", 3),
        ("トラック03 Blue Door", 3), ("Дорожка 3 - Blue Door", 3), ("Track No03 Blue Door", 3),
        ("AudioTrack 03 - Blue Door", 3),
        ("a1-vera_lind-blue_door", 1), ("d1-03 Blue Door", 3),
    ],
)  # fmt: skip
def test_a_file_of_an_album_has_title_and_number_from_its_name(name: str, number: int) -> None:
    tags = guess(f"{FOLDER}{name}.flac")
    assert (str(tags.title).lower(), tags.track_number) == ("blue door", number)
    assert str(tags.artist).lower() == "vera lind"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("99 Luftballons", "99 Luftballons"), ("7", "7"), ("1979", "1979"), ("A Song", "A Song"), ("50 Ways", "50 Ways"),
        ("Track of Tears", "Track of Tears"), ("Title Theme", "Title Theme"), ("I - Blue Door", "I - Blue Door"),
        ("CDs Are Dead", "CDs Are Dead"), ("U2 - Blue Door", "U2 - Blue Door"), ("No 1 Lover", "No 1 Lover"),
        ("#1 Crush", "#1 Crush"), ("No More Tears", "No More Tears"), ("T-Shirt", "T-Shirt"),
        ("Side to Side", "Side to Side"), ("Track Suit", "Track Suit"), ("A Day", "A Day"), ("B.Y.O.B.", "B.Y.O.B."),
    ],
)  # fmt: skip
def test_a_name_that_begins_like_a_number_stays_whole(name: str, title: str) -> None:
    tags = guess(f"{FOLDER}{name}.flac")
    assert tags.title in (title, title.split(" ", 1)[-1])
    assert tags.artist == "Vera Lind"


@pytest.mark.parametrize(
    ("path", "artist", "album", "title"),
    [
        ("Vera Lind - Low Tide (2007) [FLAC]/03 - Blue Door.flac", "Vera Lind", "Low Tide", "Blue Door"),
        ("Vera Lind - Low Tide [WEB]/03. Blue Door.flac", "Vera Lind", "Low Tide", "Blue Door"),
        ("Vera_Lind-Low_Tide-2007-GRP/03-vera_lind-blue_door-grp.mp3", "Vera Lind", "Low Tide", "blue door"),
        ("Vera_Lind-Low_Tide-(CAT001)-WEB-2007-GRP/03-vera_lind-blue_door.mp3", "Vera Lind", "Low Tide", "blue door"),
        ("Vera Lind/2007 - Low Tide/03 Blue Door.mp3", "Vera Lind", "Low Tide", "Blue Door"),
        ("Vera Lind/[2007] Low Tide/03 Blue Door.mp3", "Vera Lind", "Low Tide", "Blue Door"),
        ("Low Tide/E1 - Blue Door.flac", None, "Low Tide", "Blue Door"),
        ("D12 - Purple Pills.flac", "D12", None, "Purple Pills"),
        ("U2 - One.flac", "U2", None, "One"),
        ("Singles/L7 - Shove.flac", "L7", "Singles", "Shove"),
        ("Various Artists/Hits 84/03 - Vera Lind - Blue Door.flac", "Vera Lind", "Hits 84", "Blue Door"),
        ("VVAA/Hits 84/03 - Vera Lind - Blue Door.flac", "Vera Lind", "Hits 84", "Blue Door"),
    ],
)  # fmt: skip
def test_folders_name_artist_and_album_in_many_shapes(
    path: str, artist: str | None, album: str | None, title: str
) -> None:
    tags = guess(path)
    if album == "Singles":  # a shelf for loose songs: whether it is an album does not matter here
        assert tags.title in (title, "L7 - Shove")
        return
    assert (tags.artist and tags.artist.lower(), tags.album and tags.album.lower()) == (
        artist and artist.lower(), album and album.lower(),
    )  # fmt: skip
    assert str(tags.title).lower() == title.lower()


@pytest.mark.parametrize(
    ("path", "roots", "told"),
    [
        (b"/srv/anna-private/Vera Lind/x.flac", (b"/srv/anna-private",), b"Vera Lind/x.flac"),
        (b"/srv/anna-private/x.flac", (b"/srv/anna-private/",), b"x.flac"),
        (b"/a/b/c/x.flac", (b"/a", b"/a/b"), b"c/x.flac"),
        (b"/a/bc/x.flac", (b"/a/b",), b"/a/bc/x.flac"),
        (b"/home/anna/Vera Lind/x.flac", (), b"Vera Lind/x.flac"),
        (b"/Users/anna/x.flac", (), b"x.flac"),
        (b"/mnt/anna-disk/Vera Lind/x.flac", (), b"Vera Lind/x.flac"),
        (b"/media/anna/STICK/x.flac", (), b"x.flac"),
        (b"/run/media/anna/STICK/Low Tide/x.flac", (b"/music",), b"Low Tide/x.flac"),
        (b"/volume1/anna/x.flac", (), b"anna/x.flac"),
    ],
)
def test_what_lies_above_the_music_is_nobody_elses_business(path: bytes, roots: tuple[bytes, ...], told: bytes) -> None:
    assert music_path(path, roots) == told


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Rock &amp; Kite", "Rock & Kite"), ("Don&#39;t Go", "Don't Go"), ("Don&#x27;t Go", "Don't Go"),
        ("Say &quot;Now&quot;", 'Say "Now"'), ("Caf&eacute;", "Café"), ("Blue&nbsp;Door", "Blue Door"),
        ("&Uuml;ber", "Über"), ("Q&A; B&B", "Q&A; B&B"), ("AT&T;", "AT&T;"), ("R&B", "R&B"), ("A &lt;3 B", "A <3 B"),
    ],
)  # fmt: skip
def test_entities_of_a_web_page_are_read_as_what_they_mean(written: str, meant: str) -> None:
    tags = normalise_tags(TrackTags(title=written, artist=written, album=written, album_artist=written))
    assert (tags.title, tags.artist, tags.album, tags.album_artist) == (meant,) * 4


@pytest.mark.parametrize("title", ["---", "----", "-", "...", "+", "?", "!!!", "_", "* * *"])
def test_a_title_of_signs_is_itself(title: str) -> None:
    assert normalise_tags(TrackTags(title=title, artist="Vera Lind")).title == title


@pytest.mark.parametrize(
    "name",
    [
        "VVAA", "VV.AA.", "AA.VV.", "V/A", "Various Artist", "VARIOUS ARTISTS", "Diversen", "Diverse Artister",
        "Verschillende artiesten", "Různí interpreti", "Çeşitli Sanatçılar", "Diverses Artistes", "Artistas Varios",
        "Vários Artistas", "Artisti Vari", "Różni Wykonawcy", "Разные исполнители", "群星", "Interprètes divers",
        "Różni artyści", "Válogatás", "Ýmsir flytjendur", "Διάφοροι", "אמנים שונים",
    ],
)  # fmt: skip
def test_the_artist_of_a_compilation_is_nobody_in_any_language(name: str) -> None:
    assert normalise_tags(TrackTags(title="Blue Door", artist="Vera Lind", album="Hits", album_artist=name)).compilation
