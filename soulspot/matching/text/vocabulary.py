"""The words matching knows, in several languages: nothing but data, one alternative a line."""

from __future__ import annotations

from soulspot.text import fold


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def names(text: str) -> frozenset[str]:
    """One name a line, folded."""
    return frozenset(map(fold, lines(text)))


VARIOUS_ARTISTS = names("""
    Various Artists
    Various
    VA
    V.A.
    Varios Artistas
    Varios
    Vários Intérpretes
    Artisti Vari
    AA.VV.
    Diverse
    Diverse Interpreten
    Verschiedene Interpreten
    Verschiedene
    Artistes Variés
    Artistes Divers
    Multi-interprètes
    Blandade Artister
    Diverse Artiester
    Eri esittäjiä
    Różni wykonawcy
    Разные исполнители
    Сборник
    ヴァリアス・アーティスト
    オムニバス
    群星
    华语群星
    여러 아티스트
    Original Soundtrack
    Soundtrack
    OST
""")

UNKNOWN_ARTISTS = names("""
    Unknown Artist
    [unknown]
    Unknown
    unk
    unk.
    No Artist
    Artist
    null
    none
    N/A
    Unbekannter Interpret
    Unbekannt
    Artiste inconnu
    Artista desconocido
    Artista desconhecido
    Artista sconosciuto
    Onbekende artiest
    Okänd artist
    Неизвестный исполнитель
    Неизвестен
    未知艺术家
    未知アーティスト
    不明なアーティスト
    알 수 없는 아티스트
""")

# Words in an artist's name that make it an imitation of another.
IMITATION = r"""
    \bkaraoke\b
    \btributes?\b
    \bcover(?:s| band)?\b
    \bmade famous\b
    \bstyle of\b
    \bsing ?along\b
    \bhit crew\b
    \bbacking tracks?\b
    \bparty tyme\b
    \blullaby\b
    \brockabye\b
    \bsoundalikes?\b
"""

# Before a number, a roman numeral or a number word: "Part Two", "No. 5", "Symphony IX".
PART_WORDS = words("""
    part pt pts parts parte partie teil del no nr num number numero vol volume chapter act scene movement mvt op opus
    book episode ep chapitre kapitel capitulo capitolo disc cd side symphony sonata concerto etude prelude nocturne
    часть ч
""")
PART_SPELLINGS = {
    spelling: line.split()[0]
    for line in lines("""
        part pt pts parts parte partie teil
        no nr num number numero
        vol volume
        op opus
    """)
    for spelling in line.split()
}
COUNTING = lines("""
    one first eins un uno
    two second zwei deux dos due
    three third drei trois tres tre
    four fourth vier quatre cuatro quattro
    five fifth funf cinq cinco cinque
    six sixth sechs
    seven seventh sieben sept siete
    eight eighth acht huit ocho
    nine ninth neun neuf nueve
    ten tenth zehn dix diez
""")

# What a ripper or a program writes where it knows nothing.
PLACEHOLDER_TITLE = r"""
    (?:audio ?)?(?:track|titel|title|piste|plage|pista|faixa|traccia|spor|spar|raita|nummer|song|file) ?(?P<number>\d{1,3})
    0(?P<number3>\d{1,2})
    (?:трек|дорожка|トラック|트랙|音轨|曲目) ?(?P<number2>\d{1,3})
    unknown(?: title)?|untitled track|no title|unbekannt|unk|null|none|n a|sans titre|senza titolo
"""
PLACEHOLDER_ALBUM = r"""
    unknown(?: album)?(?: \d+)?|no album|unk|null|none|n a
    unbekanntes? album|album inconnu|album desconocido|album sconosciuto|неизвестный альбом|未知专辑|不明なアルバム
    misc|miscellaneous|downloads?|various|unsorted|non album|singles
"""
# Names that an artist uses more than once, and an album too.
REPEATED_TITLES = names("""
    Intro
    Introduction
    Outro
    Interlude
    Prelude
    Postlude
    Overture
    Prologue
    Epilogue
    Finale
    Reprise
    Skit
    Theme
    Main Theme
    Opening
    Ending
    Untitled
    Silence
    Blank
    Data
    Data Track
    Hidden Track
    Bonus Track
    Medley
    Credits
    Commentary
    Dialogue
    Applause
    Announcement
    Instrumental
    Intermission
    Encore
    Jam
    Improvisation
    Drum Solo
    Guitar Solo
    Bass Solo
    Piano Solo
    Allegro
    Adagio
    Andante
    Largo
    Lento
    Moderato
    Presto
    Vivace
    Scherzo
    Menuetto
    Minuet
    Rondo
    Gavotte
    Gigue
    Sarabande
    Allemande
    Courante
    Kyrie
    Gloria
    Credo
    Sanctus
    Agnus Dei
    Benedictus
    Einleitung
    Vorspiel
    Nachspiel
    Zwischenspiel
    Ouvertüre
    Introducción
    Introdução
    Introduzione
    Вступление
    Интро
    イントロ
    序曲
    인트로
""")

# Folders that hold music and are no artist.
SHELVES = names("""
    music
    my music
    musik
    musique
    musica
    muziek
    mp3
    mp3s
    flac
    audio
    downloads
    download
    library
    media
    unsorted
    incoming
    songs
    tracks
    singles
    home
    users
    share
    mnt
    srv
    data
    various
    compilations
    soundtracks
    tmp
    new
    files
    itunes
    itunes media
    albums
    collection
""")

# A folder's name, folded, that is a number (no year), a code ("img0001") or what systems call a folder that nobody named.
NAMELESS_FOLDER = (
    r"^(?:\d{1,3}|\d{5,}|[a-z]{1,5}\d{4,}|(?:new|untitled|unnamed) folder(?: \d+)?|neuer ordner(?: \d+)?"
    r"|nouveau dossier(?: \d+)?|nueva carpeta(?: \d+)?|nova pasta(?: \d+)?|nuova cartella(?: \d+)?"
    r"|новая папка(?: \d+)?|新建文件夹(?: \d+)?|新しいフォルダー?(?: \d+)?|새 폴더(?: \d+)?)$"
)
