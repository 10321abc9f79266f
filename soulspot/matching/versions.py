"""Version words: which words of a title, album or disambiguation say that this is another version of the song.

Words of one kind in several languages are one name ("ao vivo", "en directo" and "ライブ" are "live")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from soulspot.text import fold

_YEAR = r"(?:19|20)\d\d"
_LANGUAGES = (
    "english|spanish|french|german|italian|japanese|korean|chinese|mandarin|cantonese|portuguese|russian|dutch"
    "|swedish|finnish|arabic|hindi|polish|turkish|hebrew|espanol|espanola|ingles|inglesa|deutsche|englische"
    "|francaise|anglaise|italiana|inglese|japan|korea"
)

# In the order of matching: each match takes its words away, so that "radio mix" is an edit before "... mix" is a
# remix. Plain words are matched as whole words, words of scripts that do not part words anywhere.
_PHRASES: tuple[tuple[str, str, str], ...] = (
    (
        "remaster",
        rf"(?:{_YEAR} )?(?:digital(?:ly)? )?re ?master(?:ed|ing|isation)?(?: version| edition| mix)?(?: (?:in )?{_YEAR})?"
        rf"|(?:{_YEAR} )?remasteri[sz](?:ed|ado|ada|e|ee)(?: {_YEAR})?|rimasterizzat[oa]"
        r"|neu gemastert",
        "リマスター|リマスタリング|리마스터|ремастер",
    ),
    ("mono", r"mono(?: version| mix)?", "モノラル"),
    ("stereo", r"(?:true )?stereo(?: version| mix)?", "ステレオ"),
    ("karaoke", r"karaoke(?: version)?|off vocal|backing track|sing along", "カラオケ|노래방|караоке|минусовка|伴奏|반주"),
    (
        "cover",
        r"cover(?: version| ver)?|coverversion|(?:as )?made famous by|in the style of|originally (?:performed|recorded) by"
        r"|tribute(?: to| version)?|tributo|hommage|homenaje",
        "カバー|カヴァー|커버|кавер|翻唱",
    ),
    ("acapella", r"a ?cap+el+a(?: version)?|vocals? only|voice only", "アカペラ|아카펠라|акапелла|清唱"),
    (
        "tempo",
        r"sped up(?: version)?|speed up(?: version)?|slowed(?: down)?(?: (?:and )?reverb)?(?: version)?|nightcore"
        r"|daycore|chopped (?:and|n|not) \w+|8d(?: audio)?|reverb",
        "",
    ),
    (
        "edit",
        r"(?:radio|single|short|video|tv|clean|album|club|main|uk|us)? ?edit(?:ed)?(?: version| mix)?"
        r"|radio (?:version|mix|cut)|radioversion|short (?:version|mix)|version courte|version corta"
        r"|(?:version )?radiofonica|tv size|tv version|cut version",
        "ラジオ・?エディット|라디오|радиоверсия|радио версия|テレビサイズ",
    ),
    (
        "extended",
        r"extended(?: play)?(?: club| dance)?(?: version| mix| edit| remix)?|(?:12|twelve) ?(?:inch|in|zoll)?(?: single)?"
        r" (?:version|mix|edit|remix)|(?:12|twelve) inch|maxi(?: single)?(?: version| mix)?|long version|version (?:extendida|longue|larga)"
        r"|verlangerte version|full length(?: version)?|uncut",
        "ロング・?バージョン|расширенная версия",
    ),
    ("single", r"(?:7|seven) ?(?:inch|in)?(?: single)? (?:version|mix)|(?:7|seven) inch|single (?:version|mix)|45 version", "シングル・?バージョン"),
    (
        "neutral",
        r"(?:the )?(?:original )?(?:album|lp|cd|main|standard|studio|full|original) (?:version|mix|ver|recording)"
        r"|original|version (?:originale|original|album)|studio|album|explicit(?: version| album version)?"
        r"|(?:the )?official(?: (?:hd|4k|music|lyrics?))*(?: (?:video|audio|visuali[sz]er|clip|videoclip))?"
        r"|(?:music|lyrics?) video|videoclip|visuali[sz]er|(?:with )?lyrics?|audio(?: only)?|hd|hq|4k|320 ?kbps|bonus(?: track)?"
        r"|deluxe(?: edition| version)?|hidden track|clean(?: version)?|censored|album explicit",
        "アルバム・?バージョン|альбомная версия|ボーナストラック",
    ),
    (
        "instrumental",
        r"instrumental(?:e|es|s)?(?: version| mix| track)?|instr|inst|strumentale|version instrumentale?|no vocals",
        "インストゥルメンタル|インスト|인스트루멘탈|연주곡|инструментал(?:ьная версия)?|器乐|纯音乐|純音樂|موسيقى",
    ),
    (
        "acoustic",
        r"acoustic(?: version| mix)?|unplugged(?: version)?|acustic[oa]|acoustique|akustisch|akustik(?: version)?"
        r"|stripped(?: down)?(?: version)?|version acustica",
        "アコースティック(?:・?バージョン)?|어쿠스틱|акустика|акустическая версия|不插电|不插電",
    ),
    ("demo", r"demo(?:s|tape| version| recording| take| mix)?|maqueta|maquette|home recording", "デモ|데모|демо(?:версия)?|小样"),
    (
        "live",
        r"live(?: version| recording| session| take| mix| acoustic)?|(?:en|ao|al) vivo|en directo|en direct|dal vivo|in concert|en concert|in concerto"
        r"|concert(?: version| recording)?|concierto|konzert(?:mitschnitt)?|koncert|live ?(?:mitschnitt|aufnahme|opname)"
        r"|na zywo|na zivo|canli|elava|livena|(?:bbc|peel|radio|spotify|studio|itunes)(?: \w+)? sessions?|tiny desk|mtv unplugged",
        "ライブ|ライヴ|라이브|现场|現場|演唱会|演唱會|концерт\\w*|вживую|живой звук|живое выступление|مباشر|حفلة|biểu diễn",
    ),
    ("rerecorded", rf"re ?record(?:ed|ing)(?: version)?|neuaufnahme|taylors version|(?:new|{_YEAR}) (?:version|recording|mix)|mix {_YEAR}|version {_YEAR}|rerecorded", "再録|새 버전|новая версия"),
    ("take", r"(?:alternat(?:e|ive)|alt|early|first|different) (?:version|mix|take|recording|ending)|alternate|outtake|take \d+|rehearsal|rough mix|unreleased version|work in progress", "別テイク"),
    ("language", rf"(?:{_LANGUAGES}) (?:version|ver|vers)|version (?:{_LANGUAGES})|auf deutsch|in english|en espanol", "日本語(?:バージョン|版)?|英語版|한국어 버전|中文版|国语版|國語版|粤语版|粵語版|英文版"),
    ("reprise", r"reprise|repris", "リプライズ"),
    ("medley", r"medley|megamix|mash ?up", "メドレー|메들리|попурри"),
    ("commentary", r"commentary|interview|spoken word", ""),
    ("interlude", r"interlude|intro|outro|skit|prelude|introduction", "間奏|인트로|интро"),
    ("arrangement", r"(?:piano|string|strings|orchestral?|orchestra|symphonic|guitar|choir|organ|lullaby|8 bit|music box|a band|band) (?:version|ver|mix|arrangement|rendition)|orchestral|symphonic|arrangement", "オーケストラ|ピアノ・?(?:バージョン|ver)|피아노 버전|оркестровая версия|オルゴール"),
    ("remix", r"remix(?:ed|es)?|rmx|remezcla|remixe|rework(?:ed)?|refix|bootleg(?: mix)?|dub(?: mix| version)?|vip(?: mix)?|flip|mix", "リミックス|리믹스|ремикс|混音"),
    ("version", r"versione?|versao|fassung|ver|vers|edition|rendition|interpretation", "バージョン|ヴァージョン|버전|версия|版"),
)  # fmt: skip


def _compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    rules = []
    for kind, words, anywhere in _PHRASES:
        parts = [rf"\b(?:{words})\b"]
        if anywhere:
            parts.append("|".join(_folded(part) for part in anywhere.split("|")))
        rules.append((kind, re.compile("|".join(parts))))
    return tuple(rules)


def _folded(pattern: str) -> str:
    """Fold the letters of a pattern and leave its signs."""
    return "".join(fold(c) or c if c.isalpha() else c for c in pattern)


_RULES = _compiled()

# Words around a version word that tell nothing of which one it is.
_FILLER = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "at",
        "in",
        "on",
        "from",
        "for",
        "by",
        "with",
        "and",
        "de",
        "la",
        "le",
        "les",
        "el",
        "los",
        "las",
        "du",
        "des",
        "da",
        "do",
        "dos",
        "di",
        "das",
        "der",
        "die",
        "den",
        "im",
        "am",
        "von",
        "en",
        "et",
        "y",
        "e",
        "version",
        "mix",
        "ver",
        "vers",
        "edit",
        "take",
        "recording",
        "recorded",
        "original",
        "special",
        "bonus",
        "track",
        "previously",
        "unreleased",
        "feat",
        "ft",
        "featuring",
        "session",
        "sessions",
    ]
)

MILD = frozenset({"remaster", "mono", "stereo", "neutral"})
_SHOWN = {
    "neutral": "album version",
    "edit": "radio edit",
    "single": "single version",
    "take": "alternate take",
    "rerecorded": "re-recorded",
    "tempo": "changed tempo",
    "extended": "extended version",
    "version": "another version",
}


@dataclass(frozen=True, slots=True)
class Versions:
    """The kinds of version words of a text and, for each, the words that say which one (remixer, place, year)."""

    kinds: frozenset[str] = frozenset()
    details: frozenset[tuple[str, str]] = frozenset()

    @property
    def hard(self) -> frozenset[str]:
        """The kinds that make another recording: all but remaster, mono, stereo and "album version"."""
        return self.kinds - MILD

    def of(self, kind: str) -> frozenset[str]:
        return frozenset(word for name, word in self.details if name == kind)

    def __or__(self, other: Versions) -> Versions:
        return Versions(self.kinds | other.kinds, self.details | other.details)


NO_VERSIONS = Versions()


def shown(kinds: frozenset[str]) -> str:
    """Version kinds in words for a person; "studio" for none."""
    return " ".join(sorted(_SHOWN.get(kind, kind) for kind in kinds)) or "studio"


@lru_cache(maxsize=65536)
def version_words(text: str) -> Versions:
    """The version words of a phrase that stands apart: a bracket, a dashed suffix, a disambiguation."""
    rest = fold(text)
    kinds: set[str] = set()
    for kind, rule in _RULES:
        if kind == "version" and kinds:
            continue  # "live version" is no further version
        rest, count = rule.subn(" ", rest)
        if count:
            kinds.add(kind)
    if not kinds:
        return NO_VERSIONS
    if "acoustic" in kinds and re.search(r"\bunplugged\b", fold(text)):
        kinds.add("live")
    words = frozenset(word for word in rest.split() if word not in _FILLER)
    hard = kinds - MILD
    if "version" in kinds and not words:
        kinds.discard("version")  # a bare "version" says nothing
        kinds.add("neutral")
    return Versions(frozenset(kinds), frozenset((kind, word) for kind in hard for word in words))


# What may stand at the end of a title without bracket or dash and still be no part of the name.
_TRAILING = re.compile(
    r"^(?P<name>.+?) (?P<version>(?:live (?:at|from|@) .+|(?:ao|en) vivo(?: .+)?|dal vivo(?: .+)?|en directo"
    r"|(?:radio|single|club|extended) (?:edit|mix|version)|\w+ remix|remix|rmx"
    r"|(?:live|acoustic|instrumental|karaoke|album|single|demo|piano|original|studio|extended) version"
    rf"|(?:{_YEAR} )?remaster(?:ed)?(?: {_YEAR})?))$"
)


@lru_cache(maxsize=65536)
def trailing_version(folded: str) -> tuple[str, str]:
    """(name, version phrase) of a folded title whose last words are a version phrase; the phrase may be empty."""
    found = _TRAILING.match(folded)
    return (found["name"], found["version"]) if found else (folded, "")


# An album name says more with fewer words: "Unplugged", "Live at Leeds", "The Remixes". Only wordings that are
# not likely in a name as such; "Live" alone could be a verb ("Live and Let Die").
_ALBUM = (
    ("live", re.compile(r"^live$|\blive (?:at|in|from|on|@|aux?|im|en|20\d\d|19\d\d|i|ii)\b|[^\w](?:live)$|\bunplugged\b|\bin concert\b"
                        r"|\b(?:en|ao|al) vivo\b|\bdal vivo\b|\ben directo\b|\bin concerto\b|\bpeel sessions\b|\bbbc sessions\b|ライブ|ライヴ|라이브|演唱会|演唱會")),
    ("remix", re.compile(r"\bremixes\b|\bremixed\b|\bthe remix\b")),
    ("karaoke", re.compile(r"\bkaraoke\b|カラオケ|караоке")),
    ("cover", re.compile(r"\b(?:a )?tribute to\b|\bas made famous by\b|\bin the style of\b")),
    ("instrumental", re.compile(r"\binstrumentals?$|\binstrumental (?:versions?|hits|album)\b")),
    ("acoustic", re.compile(r"\bacoustic$|\bacoustic (?:version|sessions|album)\b|\bunplugged\b")),
    ("demo", re.compile(r"\bdemos$|\bthe demos\b|\bdemo tapes?\b")),
    ("tempo", re.compile(r"\bsped up\b|\bslowed\b|\bnightcore\b")),
)  # fmt: skip


@lru_cache(maxsize=65536)
def album_versions(title: str) -> frozenset[str]:
    """The version kinds an album's name lends to its tracks."""
    folded = fold(title)
    return frozenset(kind for kind, rule in _ALBUM if rule.search(folded))
