"""Vocabulary for invented names: titles, people, bands, places, in several scripts with Latin spellings."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words(
    "Silver Broken Golden Quiet Electric Hollow Paper Distant Crimson Velvet Burning Frozen Restless Wild "
    "Lonely Secret Gentle Crooked Endless Faded Holy Hidden Blue Black Northern Southern Midnight Early "
    "Borrowed Salted Wooden Tender Second Final Sudden Slow Bitter Bright Iron Glass Copper Violet Drowsy "
    "Hungry Naked Patient Rusty Sacred Sleepless Stolen Tangled Unwritten Weary Winter Summer Autumn "
    "Spring Amber Ashen Barefoot Careless Daylight"
)
NOUNS = _words(
    "Harbour River Window Engine Mirror Garden Letter Mountain Ocean Radio Shadow Tower Valley Whisper "
    "Wolf Bridge Candle Desert Feather Ghost Horizon Island Jungle Kingdom Lantern Meadow Needle Orchard "
    "Parade Quarry Rooftop Signal Thunder Umbrella Voyage Willow Compass Carousel Satellite Sparrow "
    "Avenue Ballroom Cathedral Diamond Ember Fountain Glacier Highway Ivory Journal Kite Ladder Machine "
    "Northwind Opera Pilgrim Queen Railway Saint Tide Vineyard Waltz Arrow Bonfire Canyon Driftwood "
    "Evening Firefly Gallery Heartline Infirmary Juniper Keyhole Lighthouse Marigold"
)
VERBS = _words(
    "Leave Carry Follow Remember Forget Hold Break Call Find Lose Burn Build Chase Dream Save Trust Bury Read"
)
PLACES = _words(
    "Lisbon Leeds Oslo Memphis Nairobi Kyoto Ghent Austin Gdansk Bergen Tampere Cusco Perth Malmo Turin "
    "Zagreb"
)
POPULAR = _words(
    "Home Forever Angel Stay Hallelujah Yesterday Summertime Fire Dreams Breathe Runaway Heaven Alone "
    "Gone Tonight Crazy Sunshine Lost Believe Paradise Rain Hurt Wonderland Imagination Halo Closer Numb "
    "Creep Fever Misty"
)
GIVEN = _words(
    "Mara Jonas Elif Tobias Ingrid Samuel Nadia Oscar Priya Luca Freya Mateus Clara Desmond Agnes Ruben "
    "Wanda Felix Odette Hugo Bianca Conrad Delia Emil Farah Gideon Hanne Ivo Jolene Kwame Leonie Milo "
    "Noor Orla Pascal Quentin Rosa Silas Thea"
)
FAMILY = _words(
    "Okafor Lindqvist Marlowe Castellan Abernathy Delacroix Holloway Iversen Jankowski Kowalczyk Larkin "
    "Montague Novak Osterman Pellegrin Quill Rosewood Sandoval Thackeray Underhill Vasquez Whitlock "
    "Yardley Zeller Ashdown Brightwell Carraway Dunmore Eastlake Fairbanks Greenway Hartwell Inglewood "
    "Kestrel Lockwood Merriweather Northcott Pemberton"
)
GENRES = (
    "rock", "pop", "electronic", "jazz", "hip hop", "folk", "ambient", "soul", "metal", "indie rock", "house",
    "synth-pop", "techno", "country", "classical", "punk", "trip hop", "singer-songwriter", "blues", "reggae",
    "k-pop", "j-pop", "latin", "funk",
)  # fmt: skip
TAGS = ("seen live", "favourites", "melancholic", "british", "female vocals", "chill", "00s", "debut")
LABELS = (
    "Kestrel Records",
    "Nightjar",
    "Paper Boat",
    "Meridian Sound",
    "Blue Ledger",
    "Old Mill Music",
    "Tangent",
    "Hearth & Co.",
)
COUNTRIES = ("GB", "US", "DE", "FR", "JP", "SE", "XW", "XE", "AU", "BR")
FORMATS = ("CD", "Digital Media", "Digital Media", '12" Vinyl', "Cassette")


@dataclass(frozen=True, slots=True)
class Script:
    """Names of one language as (as written, Latin spelling): families, given names, words of titles."""

    country: str
    families: tuple[tuple[str, str], ...]
    givens: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, str], ...]
    joint: str = ""
    family_first: bool = True

    def person(self, rng: Random) -> tuple[str, str, str]:
        """Name as written, in Latin letters, and the sort name."""
        family, given = rng.choice(self.families), rng.choice(self.givens)
        written = (family[0], given[0]) if self.family_first else (given[0], family[0])
        return self.joint.join(written), f"{given[1]} {family[1]}", f"{family[1]}, {given[1]}"

    def title(self, rng: Random) -> tuple[str, str]:
        """A title as written and its Latin spelling."""
        first, second = rng.sample(self.words, 2)
        return self.joint.join((first[0], second[0])), f"{first[1]} {second[1]}"


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """ "東=Higashi 青木=Aoki" -> (("東", "Higashi"), ...); an underscore in the text stands for a blank."""
    return tuple(
        (a.replace("_", " "), b.replace("_", " ")) for a, b in (pair.split("=") for pair in text.split())
    )


SCRIPTS = (
    Script(
        "JP",
        _pairs("青木=Aoki 長谷部=Hasebe 水野=Mizuno 桜井=Sakurai 黒川=Kurokawa 星野谷=Hoshinoya"),
        _pairs("遥=Haruka 健太=Kenta ミナ=Mina さくら=Sakura 蓮=Ren あおい=Aoi"),
        _pairs(
            "夜明けの=Yoakeno 海=Umi 青い=Aoi 手紙=Tegami 電車=Densha 雨の=Ameno "
            "約束=Yakusoku 花火=Hanabi 東京=Tokyo ラジオ=Radio 月=Tsuki "
            "眠れない=Nemurenai 街=Machi さよなら=Sayonara"
        ),
    ),
    Script(
        "KR",
        _pairs("김=Kim 박=Park 서문=Seomun 남궁=Namgung 한=Han 윤=Yoon"),
        _pairs("하늘=Haneul 지우=Jiwoo 서연=Seoyeon 도윤=Doyun 민재=Minjae 소라=Sora"),
        _pairs(
            "밤=Bam 바다=Bada 봄날의=Bomnarui 편지=Pyeonji 너의=Neoui 노래=Norae "
            "별=Byeol 겨울=Gyeoul 기억=Gieok 비=Bi 꽃=Kkot"
        ),
    ),
    Script(
        "EG",
        _pairs("الحداد=El-Haddad الراوي=El-Rawy منصور=Mansour القصبجي=El-Qasabgy زيدان=Zidan"),
        _pairs("ليلى=Layla سامي=Sami نور=Nour كريم=Karim دنيا=Donia"),
        _pairs(
            "قلبي=Albi ليل=Leil يا=Ya بحر=Bahr حبيبي=Habibi شوق=Shouq قمر=Amar غريب=Gharib أيام=Ayam صوت=Sout"
        ),
        " ",
        family_first=False,
    ),
    Script(
        "RU",
        _pairs("Ветров=Vetrov Соколова=Sokolova Белый=Bely Журавлёв=Zhuravlyov Мельник=Melnik"),
        _pairs("Алина=Alina Фёдор=Fyodor Юлия=Yulia Тимур=Timur Ярослав=Yaroslav"),
        _pairs(
            "Ночной=Nochnoy поезд=poyezd Тихая=Tikhaya река=reka "
            "Снег=Sneg Письмо=Pismo Осень=Osen вокзал=vokzal Город=Gorod"
        ),
        " ",
        family_first=False,
    ),
    Script(
        "VN",
        _pairs("Nguyễn=Nguyen Trần=Tran Phạm=Pham Đặng=Dang Huỳnh=Huynh"),
        _pairs("Thùy_Dương=Thuy_Duong Minh_Đức=Minh_Duc Bảo_Ngọc=Bao_Ngoc Quốc_Hưng=Quoc_Hung"),
        _pairs(
            "Mùa=Mua thu=thu Nắng=Nang ấm=am Đêm=Dem buồn=buon Về=Ve "
            "quê=que Người=Nguoi thương=thuong Phố=Pho cũ=cu"
        ),
        " ",
    ),
    Script(
        "IS",
        _pairs(
            "Þórsdóttir=Thorsdottir Ångström=Angstrom Błaszczyk=Blaszczyk "
            "Çelik=Celik Núñez=Nunez Dvořák=Dvorak"
        ),
        _pairs("Sigríður=Sigridur Zoë=Zoe Łukasz=Lukasz Gülşen=Gulsen José=Jose Björn=Bjorn Renée=Renee"),
        _pairs(
            "Señal=Senal Über=Uber Fjörður=Fjordur Żółty=Zolty Cœur=Coeur "
            "Årstid=Arstid Gökyüzü=Gokyuzu Été=Ete Sól=Sol"
        ),
        " ",
        family_first=False,
    ),
)


def title(rng: Random) -> str:
    """An English title of one to five words; short ones are shared by many."""
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(POPULAR)
    if kind < 0.15:
        return f"The {rng.choice(NOUNS)}"
    if kind < 0.60:
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if kind < 0.80:
        return f"{rng.choice(VERBS)} the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if kind < 0.90:
        return f"{rng.choice(NOUNS)} of {rng.choice(PLACES)}"
    if kind < 0.95:
        return f"Don't {rng.choice(VERBS)} Me, {rng.choice(GIVEN)}"
    return f"{rng.choice(NOUNS)} & {rng.choice(NOUNS)}"


def band(rng: Random) -> tuple[str, str]:
    """A band's name and its sort name."""
    kind = rng.random()
    if kind < 0.5:
        name = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}s"
        return f"The {name}", f"{name}, The"
    name = (
        f"{rng.choice(NOUNS)} & the {rng.choice(NOUNS)}s"
        if kind < 0.6
        else f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    )
    return name, name


def person(rng: Random) -> tuple[str, str]:
    """A person's name and their sort name."""
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    return f"{given} {family}", f"{family}, {given}"
