"""Text to tokens as in MusicBrainz' index: folded, and split at everything that is no word."""

import re
import unicodedata

# Han, kana and Bopomofo characters are tokens of their own; other letters and digits make words.
_ALONE = r"\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])[^\W_])+")
# Letters with a stroke have no decomposition in Unicode.
_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ħ": "h", "ŧ": "t"})
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}  # katakana -> hiragana


def fold(text: str) -> str:
    """Return the text with case, accents, strokes, width and the Japanese syllabaries folded."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    if not plain.isascii():
        # NFKD parts kana from their voicing marks as letters from accents; those marks must stay.
        kept = "".join(c for c in plain if not unicodedata.combining(c) or c in "\u3099\u309a")
        plain = unicodedata.normalize("NFKC", kept).translate(_STROKES).translate(_HIRAGANA)
    return plain


def tokens(text: str, accents: bool = False) -> tuple[str, ...]:
    """Return the tokens of a text in order; with `accents` only case and syllabaries are folded."""
    folded = unicodedata.normalize("NFKC", text.lower()).translate(_HIRAGANA) if accents else fold(text)
    return tuple(_WORD.findall(folded))
