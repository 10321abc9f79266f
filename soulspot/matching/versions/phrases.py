"""The phrases that say that something is another version, in several languages: nothing but data.

Regular expressions over folded text (`soulspot.text.fold`: no accents, no punctuation), one alternative a line.
YEAR and LANGUAGE stand for a year and the name of a language."""

from __future__ import annotations

from soulspot.matching.text.vocabulary import lines, words

YEAR = r"(?:19|20)\d\d"
LANGUAGES = lines("""
    english|spanish|french|german|italian|japanese|korean|chinese|mandarin|cantonese|portuguese|russian|dutch
    swedish|finnish|arabic|hindi|polish|turkish|hebrew|espanol|espanola|ingles|inglesa|deutsche|englische
    francaise|anglaise|italiana|inglese|japan|korea
""")

# In the order of matching: each match takes its words away, so that "radio mix" is an edit before "... mix" is a
# remix. The first list is matched as whole words, the second (scripts that do not part words) anywhere.
VERSION_PHRASES: tuple[tuple[str, str, str], ...] = (
    (
        "remaster",
        r"""
        (?:YEAR )?(?:digital(?:ly)? )?re ?master(?:ed|ing|isation)?(?: version| edition| mix)?(?: (?:in )?YEAR)?
        (?:YEAR )?remasteri[sz](?:ed|ado|ada|e|ee)(?: YEAR)?
        (?:YEAR )?rimasterizzat[oa](?: YEAR)?
        neu gemastert
        """,
        "リマスタリング リマスター 리마스터 ремастер",
    ),
    ("mono", r"mono(?: version| mix)?", "モノラル"),
    ("stereo", r"(?:true )?stereo(?: version| mix)?", "ステレオ"),
    (
        "karaoke",
        r"""
        karaoke(?: version)?
        off vocal(?: version)?
        backing track
        sing ?along
        """,
        "カラオケ 노래방 караоке минусовка 伴奏 반주",
    ),
    (
        "cover",
        r"""
        cover(?: version| ver)?
        coverversion
        (?:as )?made (?:famous|popular) by
        in the style of
        originally (?:performed|recorded) by
        tribute(?: to| version)?
        tributo
        hommage
        homenaje
        """,
        "カバー カヴァー 커버 кавер 翻唱",
    ),
    (
        "acapella",
        r"""
        a ?cap+el+a(?: version)?
        vocals? only
        """,
        "アカペラ 아카펠라 акапелла 清唱",
    ),
    (
        "tempo",
        r"""
        spe?ed up(?: version)?
        slowed(?: down)?(?: (?:and )?reverb)?(?: version)?
        nightcore
        daycore
        chopped (?:and|n|not) \w+
        8d(?: audio)?
        """,
        "",
    ),
    (
        "edit",
        r"""
        (?:radio|single|short)? ?edit(?:ed)?(?: version| mix)?
        radio (?:version|mix|cut)
        radio ?(?:version|fassung)
        short (?:version|mix)
        version (?:courte|corta|curta|radio)
        tv (?:size|version)
        cut version
        """,
        "ラジオエディット 라디오 радиоверсия テレビサイズ",
    ),
    (
        "extended",
        r"""
        extended(?: club| dance)?(?: version| mix| edit| remix)?
        (?:12|twelve) ?(?:inch|in|zoll)?(?: single)? (?:version|mix|edit|remix)
        (?:12|twelve) ?(?:inch|zoll)
        maxi(?: single)?(?: version| mix)?
        long version
        version (?:extendida|longue|larga|longa)
        verlangerte version
        uncut
        """,
        "ロングバージョン ロング・バージョン расширеннаяверсия",
    ),
    (
        "single",
        r"""
        (?:7|seven) ?(?:inch|in)?(?: single)? (?:version|mix)
        (?:7|seven) ?inch
        single (?:version|mix)
        45 version
        """,
        "シングルバージョン シングル・バージョン シングル・ヴァージョン",
    ),
    (
        "neutral",
        r"""
        (?:the )?(?:original )?(?:album|lp|cd|main|standard|studio|full|original) (?:version|versao|mix|ver|recording)
        version (?:originale|original|album)
        original
        studio
        album
        full length(?: version)?
        explicit(?: album)?(?: version)?
        clean(?: version)?
        censored
        (?:the )?official(?: (?:hd|4k|music|lyrics?))*(?: (?:video|audio|visuali[sz]er|clip|videoclip))?
        (?:music|lyrics?) video
        video ?clip
        visuali[sz]er
        (?:with )?lyrics?
        audio(?: only)?
        hd|hq|4k
        \d* ?kbps
        bonus(?: track)?
        hidden track
        deluxe(?: edition| version)?
        (?:\w+ ){0,4}edition
        """,
        "アルバムバージョン アルバム・バージョン альбомнаяверсия ボーナストラック",
    ),
    (
        "instrumental",
        r"""
        instrumental(?:e|es|s)?(?: version| mix| track)?
        version instrumentale?
        strumentale
        instr|inst
        no vocals
        """,
        "インストゥルメンタル インスト 인스트루멘탈 연주곡 инструментальная инструментал 器乐 纯音乐 純音樂",
    ),
    (
        "acoustic",
        r"""
        acoustic(?: version| mix)?
        unplugged(?: version)?
        (?:version |versao )?ac[uo]+stic[oa]
        (?:version )?acoustique
        akusti(?:sch|k)(?:e)?(?: version)?
        stripped(?: down)?(?: version)?
        """,
        "アコースティックバージョン アコースティック 어쿠스틱 акустическая акустика 不插电 不插電",
    ),
    (
        "demo",
        r"""
        demo(?:s|tape| version| recording| take| mix)?
        maqueta|maquette
        home recording
        """,
        "デモ 데모 демоверсия демо 小样",
    ),
    (
        "live",
        r"""
        live(?: version| recording| session| take| mix| acoustic)?
        (?:en|ao|al) vivo
        en directo|en direct|dal vivo
        (?:in|en) concert
        in concerto
        concert(?: version| recording)?
        concierto|koncert
        konzert(?:mitschnitt)?
        live ?(?:mitschnitt|aufnahme|opname)
        na (?:zywo|zivo)|canli|elava
        (?:bbc|peel|radio|spotify|studio|itunes)(?: \w+)? sessions?
        tiny desk
        mtv unplugged
        """,
        "ライブ ライヴ 라이브 现场 現場 演唱会 演唱會 концерт вживую живойзвук مباشر حفلة",
    ),
    (
        "rerecorded",
        r"""
        re ?record(?:ed|ing)(?: version)?
        neuaufnahme
        taylors version
        (?:new|YEAR) (?:version|recording|mix)
        (?:mix|version) YEAR
        """,
        "再録 새버전 новаяверсия",
    ),
    (
        "take",
        r"""
        (?:alternat(?:e|ive)|alt|early|first|different) (?:version|mix|take|recording|ending)
        alternate
        outtake
        take \d+
        rehearsal
        rough mix
        unreleased version
        work in progress
        """,
        "別テイク",
    ),
    (
        "language",
        r"""
        (?:LANGUAGE) (?:version|ver|vers)
        version (?:en )?(?:LANGUAGE)
        auf deutsch|in english|en espanol
        """,
        "日本語バージョン 日本語版 英語版 英文版 中文版 国语版 國語版 粤语版 粵語版 한국어버전",
    ),
    ("reprise", r"reprise?", "リプライズ"),
    ("medley", r"medley|megamix|mash ?up", "メドレー 메들리 попурри"),
    ("commentary", r"commentary|interview|spoken word", ""),
    ("interlude", r"interlude|intro|outro|skit|prelude|introduction", "間奏 인트로 интро"),
    (
        "arrangement",
        r"""
        (?:piano|strings?|orchestral?|symphonic|guitar|choir|organ|lullaby|8 bit|band) (?:version|ver|mix|rendition)
        orchestral|symphonic|arrangement
        """,
        "オーケストラ ピアノバージョン 피아노버전 оркестроваяверсия オルゴール",
    ),
    (
        "remix",
        r"""
        remix(?:ed|es|e)?
        rmx
        remezcla
        rework(?:ed)?
        refix
        bootleg(?: mix)?
        dub(?: mix| version)?
        vip(?: mix)?
        flip
        mix
        """,
        "リミックス 리믹스 ремикс 混音",
    ),
    ("version", r"versione?|versao|fassung|vers?|rendition", "バージョン ヴァージョン 버전 версия 版"),
)  # fmt: skip

# Kinds that are no other recording: the same tape, or what a release calls the ordinary version.
MILD_VERSIONS = words("remaster mono stereo neutral")

# Kinds whose phrase itself says which one: "Spanish version" is not "French version".
TELLING_VERSIONS = words("language rerecorded arrangement")

# Kinds of which there are many: one that is named ("Kappa remix") and one that is not ("remix") may be two.
MANY_VERSIONS = words("remix edit version")

# Kinds that often stand for each other; one of them on either side is no contradiction.
NEAR_VERSIONS = tuple(
    words(pair)
    for pair in lines("""
        edit single
        cover karaoke
        version take
        instrumental karaoke
    """)
)

# Kinds that often stand beside each other: where both sides say one, the other may be missing on one.
ALONGSIDE_VERSIONS = tuple(
    words(pair)
    for pair in lines("""
        live acoustic
        remix extended
    """)
)

# Kinds that shops and taggers often leave out: only of these an identifier may be believed against the words.
PACKAGING = words("edit single extended version")

# Kinds that a file's title often does not state, because they are what was played.
UNSTATED = words("edit single")

# An album name says more with fewer words: "Unplugged", "Live at Leeds", "The Remixes". Only wordings that are
# not likely in a name as such; "Live" alone could be a verb ("Live and Let Die").
ALBUM_PHRASES: tuple[tuple[str, str, str], ...] = (
    (
        "live",
        r"""
        ^live$
        \blive (?:at|in|from|on|@|aux?|im|en|YEAR|i|ii)\b
        \w live$
        \bunplugged\b
        \bin concert\b
        \b(?:en|ao|al) vivo\b
        \bdal vivo\b
        \ben directo\b
        \bin concerto\b
        \b(?:peel|bbc) sessions\b
        """,
        "ライブ ライヴ 라이브 演唱会 演唱會",
    ),
    ("remix", r"\b(?:remixes|remixed|the remix)\b", ""),
    ("karaoke", r"\bkaraoke\b", "カラオケ караоке"),
    ("cover", r"\btribute to\b|\bas made famous by\b|\bin the style of\b", ""),
    ("instrumental", r"\binstrumentals?$|\binstrumental (?:versions?|hits|album)\b", ""),
    ("acoustic", r"\bacoustic$|\bacoustic (?:version|sessions|album)\b|\bunplugged\b", ""),
    ("demo", r"\bdemos$|\bdemo tapes?\b", ""),
    ("tempo", r"\bsped up\b|\bslowed\b|\bnightcore\b", ""),
)  # fmt: skip

# What may stand at the end of a title without bracket or dash and still be no part of the name.
TRAILING_PHRASES = r"""
    live (?:at|from|@) .+
    (?:ao|en) vivo(?: .+)?
    dal vivo(?: .+)?
    en directo
    (?:radio|single|club|extended) (?:edit|mix|version)
    (?:\w+ )?remix
    rmx
    (?:live|acoustic|instrumental|karaoke|album|single|demo|piano|original|studio|extended) version
    (?:YEAR )?remaster(?:ed)?(?: YEAR)?
"""

# Words around a version word that tell nothing of which one it is.
VERSION_FILLER = words("""
    a an the of at in on from for by with and de la le les el los las du des da do dos di das der die den im am von
    en et y e version mix ver vers edit take recording recorded original special bonus track previously unreleased
    feat ft featuring session sessions
""")

# How a kind is called before people, where its name would not do.
SHOWN_VERSIONS = {
    "neutral": "album version",
    "edit": "radio edit",
    "single": "single version",
    "take": "alternate take",
    "rerecorded": "re-recorded",
    "tempo": "changed tempo",
    "extended": "extended version",
    "version": "another version",
}
