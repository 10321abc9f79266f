"""Names that are written in several ways: each is accepted as the other, and its near neighbour is
not."""

from __future__ import annotations

import sys

import pytest

from soulspot.matching.text import romanisation
from soulspot.matching.text.romanisation import read_japanese
from soulspot.models import Verdict
from tests.matching.make import decision, recording, release, tags

TITLE, ARTIST = "Glass Meadow", "Ilse Brandt"


def is_accepted(file: str, found: str) -> bool:
    pair = decision(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.2))
    turned = decision(tags(found, ARTIST, 200), recording("a", file, ARTIST, 200.2))
    accepted = [made.verdict is Verdict.ACCEPTED for made in (pair, turned)]
    assert accepted[0] == accepted[1], (pair, turned)
    return accepted[0]


def is_artist_accepted(file: str, found: str) -> bool:
    return decision(tags(TITLE, file, 200), recording("a", TITLE, found, 200.2)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("愛情轉移", "爱情转移"), ("憂鬱的星期天", "忧郁的星期天"), ("後來", "后来"), ("東方紅", "东方红"),
        ("聽海", "听海"),
        ("夢醒時分", "梦醒时分"), ("髮如雪", "发如雪"), ("開不了口", "开不了口"), ("萬里長城", "万里长城"),
        ("雙截棍", "双截棍"),
        ("聽媽媽的話 (Live)", "听妈妈的话 - Live"),
    ],
)  # fmt: skip
def test_traditional_and_simplified_chinese_are_one(one: str, other: str) -> None:
    assert is_accepted(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("يك روز", "یک روز"), ("كوه ياس", "کوه یاس"), ("گل هاي", "گل های"), ("كجايي", "کجایی"),
        ("حبيبة", "حبيبه"),
        ("إلى متى", "الى متى"), ("أحبك", "احبك"), ("می‌خواهم", "میخواهم"), ("کــوه", "کوه"),
        ("روز ۱۲", "روز ١٢"),
        ("روز ۱۲", "روز 12"),
    ],
)  # fmt: skip
def test_arabic_and_persian_letters_and_digits_are_one(one: str, other: str) -> None:
    assert is_accepted(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("サクラ", "さくら"), ("ココロ", "こころ"), ("ありがとう", "アリガトウ"), ("ｻｸﾗ", "さくら"),
        ("きみのこえ", "キミノコエ"),
        ("かえる", "カエル"), ("ラブソング", "らぶそんぐ"), ("バラ", "ばら"), ("ヴェール", "ゔぇーる"),
        ("ハナビ (Live)", "はなび - Live"),
    ],
)  # fmt: skip
def test_hiragana_and_katakana_are_one(one: str, other: str) -> None:
    assert is_accepted(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("愛情轉移", "爱情故事"), ("聽海", "听雨"), ("千里之外", "千里之内"), ("東方紅", "西方红"),
        ("روز ۱۲", "روز ۱۳"), ("کوه", "کور"),
        ("さくら", "サクランボ"), ("バラ", "ハラ"), ("ガラス", "からす"), ("ココロ", "ところ"),
        ("聽海 (Live)", "听海"), ("サクラ (Piano)", "さくら"),
    ],
)  # fmt: skip
def test_another_word_of_the_same_script_is_another_title(one: str, other: str) -> None:
    assert not is_accepted(one, other)


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("周杰倫", "周杰伦"), ("鄧麗君", "邓丽君"), ("張學友", "张学友"), ("محسن يگانه", "محسن یگانه"),
        ("あいみょん", "アイミョン"),
        ("ｱｲﾐｮﾝ", "あいみょん"), ("周杰倫 & 張學友", "周杰伦 & 张学友"),
        ("蔡琴 feat. 張學友", "蔡琴 feat. 张学友"),
        ("Salt &amp; Quill", "Salt & Quill"), ("Brandt, Ilse", "Ilse Brandt"),
    ],
)  # fmt: skip
def test_an_artist_is_known_in_another_spelling(file: str, found: str) -> None:
    assert is_artist_accepted(file, found)


@pytest.mark.parametrize(
    ("kanji", "romanised"),
    [
        ("桜", "Sakura"), ("夜に駆ける", "Yoru ni Kakeru"),
        ("残酷な天使のテーゼ", "Zankoku na Tenshi no Teeze"), ("雪の華", "Yuki no Hana"),
        ("群青", "Gunjō"), ("津軽海峡冬景色", "Tsugaru Kaikyo Fuyugeshiki"),
        ("上を向いて歩こう", "Ue wo Muite Arukou"), ("花火", "Hanabi"),
        ("学園天国", "Gakuen Tengoku"), ("東京事変", "Tokyo Jihen"), ("桜", "さくら"), ("花火", "ハナビ"),
    ],
)  # fmt: skip
def test_japanese_is_read_aloud_by_a_dictionary(kanji: str, romanised: str) -> None:
    assert is_accepted(kanji, romanised)


@pytest.mark.parametrize(
    ("kanji", "romanised"),
    [
        ("桜", "Sakaba"), ("花火", "Hanabira"), ("雪の華", "Yuki no Hone"), ("夜に駆ける", "Yoru no Kagami"),
        ("群青", "Gunshin"),
        ("桜", "さくらんぼ"), ("花火", "はなび (Live)"), ("雨", "Yuki"), ("千本桜", "Sakura"),
        ("東京", "Kyoto"),
    ],
)  # fmt: skip
def test_another_japanese_word_is_another_title(kanji: str, romanised: str) -> None:
    assert not is_accepted(kanji, romanised)


@pytest.mark.parametrize(("text", "sound"), [("今日", "kyou"), ("写真", "shashin"), ("Sakura", None), ("さくら", None)])
def test_a_reading_spells_small_letters_as_they_are_heard(text: str, sound: str | None) -> None:
    assert read_japanese(text) == sound


def test_japanese_is_compared_without_a_dictionary_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sudachipy", None)
    romanisation._dictionary.cache_clear()
    try:
        assert read_japanese("海岸通り") is None
        assert not is_accepted("海岸通り", "Kaigandoori")
        assert is_accepted("海岸通り", "海岸通り")
    finally:
        romanisation._dictionary.cache_clear()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10,000 Sheep", "10000 Sheep"), ("10.000 Sheep", "10000 Sheep"), ("10'000 Sheep", "10,000 Sheep"),
        ("10 000 Sheep", "10,000 Sheep"), ("1,000,000 Sheep", "1000000 Sheep"), ("Sheep 2,500", "Sheep 2500"),
    ],
)  # fmt: skip
def test_a_large_number_is_parted_or_not(one: str, other: str) -> None:
    assert is_accepted(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("10,000 Sheep", "10,001 Sheep"), ("10,000 Sheep", "1,000 Sheep"), ("1, 2, 3 Sheep", "123 Sheep"),
     ("100,000 Sheep", "10,000 Sheep")],
)  # fmt: skip
def test_another_number_is_another_title(one: str, other: str) -> None:
    assert not is_accepted(one, other)


DUETS = (
    "A Duet With Oto Lind", "Duet with Oto Lind", "in duet with Oto Lind", "Duetto con Oto Lind", "a duo with Oto Lind",
    "Duett mit Oto Lind", "Dueto con Oto Lind", "en duo avec Oto Lind", "with Oto Lind", "w/Oto Lind", "w/ Oto Lind",
    "f/Oto Lind", "feat.Oto Lind", "ft.Oto Lind", "Feat Oto Lind",
)  # fmt: skip


@pytest.mark.parametrize("form", ["{} ({})", "{} - {}", "{} [{}]", "{}({})"])
@pytest.mark.parametrize("guest", DUETS)
def test_a_duet_names_a_guest(guest: str, form: str) -> None:
    file = tags(form.format(TITLE, guest), ARTIST, 200)
    for credit in (ARTIST, f"{ARTIST} & Oto Lind", f"{ARTIST} feat. Oto Lind"):
        made = decision(file, recording("a", TITLE, credit, 200.2))
        assert made.verdict is Verdict.ACCEPTED, (credit, made.reasons)


@pytest.mark.parametrize("words", ["Duet", "Duet Version", "w/o Vocals", "w/o Drums", "Duo Live", "with Strings, live"])
def test_a_duet_version_is_no_guest(words: str) -> None:
    assert not is_accepted(f"{TITLE} ({words})", TITLE)


ENTITIES = [
    ("Rock &amp; Kite", "Rock & Kite"), ("Don&#39;t Go", "Don't Go"), ("Don&#x27;t Go", "Don't Go"),
    ("Caf&eacute; Blue", "Café Blue"), ("Rock &amp;amp; Kite", "Rock & Kite"), ("Don&rsquo;t Go", "Don't Go"),
    ("Glass&nbsp;Meadow", "Glass Meadow"), ("Say &quot;Go&quot;", 'Say "Go"'),
    ("Glass &#8211; Live", "Glass (Live)"),
    ("AT&T Kite", "AT&T Kite"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "found"), ENTITIES)
def test_the_entities_of_a_web_page_are_letters(file: str, found: str) -> None:
    made = decision(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.2))
    assert made.verdict is Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize(("file", "found"), [("Rock &amp; Kite", "Rock & Kate 2"), ("Caf&eacute;", "Cafard")])
def test_entities_make_no_other_title(file: str, found: str) -> None:
    made = decision(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.2))
    assert made.verdict is not Verdict.ACCEPTED, made.reasons


DASHED = (
    'From "Hill Lights"', 'From "Hill Lights" Soundtrack', "from the film Hill Lights", "Spotify Singles", "Super Deluxe",
    "Recorded at Spotify Studios NYC", "Super Deluxe Edition", "Original Version 1979", "1979 Original Version",
    "Amazon Original", "Prod. by Oto", "Theme from Hill Lights", "Bonus Track", "2011 Remaster", "Remastered 2011",
    "Anniversary Edition", "Single Version", "Radio Edit", "Live at the Pier", "English", "Piano", "Mixed",
    "From Disney's \"Hill\"", "OST", "Official Audio", "Instrumental", "Karaoke Version",
)  # fmt: skip


@pytest.mark.parametrize("words", DASHED)
def test_words_behind_a_dash_are_read_as_in_brackets(words: str) -> None:
    known = recording("a", TITLE, ARTIST, 200.3)
    dashed, bracketed = (decision(tags(f"{TITLE} {form}", ARTIST, 200), known) for form in (f"- {words}", f"({words})"))
    assert (dashed.verdict, dashed.confidence) == (bracketed.verdict, bracketed.confidence)


SHORT = [
    ("Musiq", "Musiq Soulchild"), ("Grand Funk", "Grand Funk Railroad"),
    ("Nitty Gritty", "Nitty Gritty Dirt Band"),
    ("Dave Matthews", "Dave Matthews Band"), ("Hendrix", "Jimi Hendrix"), ("Jefferson", "Jefferson Airplane"),
    ("Kool", "Kool & The Gang"), ("Frankie Lymon", "Frankie Lymon & The Teenagers"),
    ("Buena Vista", "Buena Vista Social Club"),
    ("Creedence", "Creedence Clearwater Revival"),
]  # fmt: skip


@pytest.mark.parametrize(("short", "whole"), SHORT)
def test_a_shortened_artist_is_known_by_the_album(short: str, whole: str) -> None:
    for file, found in ((short, whole), (whole, short)):
        for place in (None, 3):
            known = recording("a", TITLE, found, 200.2, releases=[release("Meadows", place)])
            made = decision(tags(TITLE, file, 200, album="Meadows", track_number=place), known)
            assert made.verdict is Verdict.ACCEPTED, (file, found, place, made.reasons)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Prince", "Prince Royce"), ("Genesis", "Genesis P-Orridge"), ("Alex", "Alex G"),
        ("Nirvana", "Nirvana UK"),
        ("Musiq", "Musiq Soulchild"), ("Suede", "London Suede"), ("Bush", "Kate Bush"),
        ("Bread", "Bread Crumb"),
        ("Ilse Brandt", "Ilse Brandt Jr"), ("Yes", "Yes Sir"),
    ],
)  # fmt: skip
def test_one_word_more_is_another_artist_for_a_length_alone(one: str, other: str) -> None:
    assert not is_artist_accepted(one, other)
    assert not is_artist_accepted(other, one)


@pytest.mark.parametrize(
    "words", ["Piano", "English", "Korean", "Drumless", "MR", "Lofi", "Mixed", "Cello", "Outtakes"]
)
@pytest.mark.parametrize("title", ["桜", "サクラ", "봄날", "Белые розы", "زهرة المدائن", "愛情轉移"])
def test_unknown_words_in_another_script_are_a_version_too(title: str, words: str) -> None:
    assert not is_accepted(f"{title} ({words})", title)


@pytest.mark.parametrize(
    "title",
    ["桜 (Sakura)", "サクラ (Sakura)", "Белые розы (Belye rozy)", "봄날 (Bomnal)", "Кино [Kino]", "花火 (Hanabi)"],
)
def test_a_title_heard_once_more_in_another_script_is_no_version(title: str) -> None:
    assert is_accepted(title, title.partition(" (")[0].partition(" [")[0])


@pytest.mark.parametrize("tail", ["Public Performance", "Harbour Songs", "Best of the Harbour", "Music From the Hills"])
@pytest.mark.parametrize(
    ("one", "other"), [("Kite", "Boats"), ("Your Special Day", "Rockfist"), ("Ash", "Long Meadow")]
)
def test_titles_that_share_their_end_alone_are_not_even_in_review(one: str, other: str, tail: str) -> None:
    file, found = tags(f"{one} - {tail}", ARTIST), recording("a", f"{other} - {tail}", ARTIST)
    assert decision(file, found).verdict is Verdict.NONE
    near = recording("b", f"{one}s - {tail}", ARTIST)
    assert decision(file, near).verdict is not Verdict.NONE
