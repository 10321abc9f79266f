"""Words in brackets or behind a dash that one title has, and that no vocabulary knows."""

from collections.abc import Iterator

from soulspot.matching.text.scripts import differ_in_script, sound_similarity
from soulspot.matching.text.similarity import text_similarity
from soulspot.matching.text.titles import Title, count_parts
from soulspot.matching.views import View

_SAME = 0.8  # from this likeness on two asides are one, miswritten


def find_unknown_words(here: Title, there: Title, tags: View, candidate: View) -> str:
    """Return the words that one title has in brackets or behind a dash, and the other has nowhere.
    They are a version until proven otherwise: "(English)", "(MR)" and "- Mixed" are, while "(500
    Miles)" is a subtitle. Empty for none."""
    for title, other, view in ((here, there, candidate), (there, here, tags)):
        for text in _unknown_pieces(title):
            is_explained = _has_words(other.plain, text) or _is_translation(text, title) or _is_guest(text, view)
            if not is_explained and not any(text_similarity(text, its) >= _SAME for its in _unknown_pieces(other)):
                return text
    return ""


def are_proved_by_album(text: str, tags: View, candidate: View) -> bool:
    """Whether an equal album says that the words are a mere subtitle. An album that has the words
    in its own name, as "Lights (English)" has, does so only beside another that has them too."""
    own = any(_has_words(album.title.plain, text) for album in tags.albums)
    return own == any(_has_words(album.title.plain, text) for album in candidate.albums)


def _unknown_pieces(title: Title) -> Iterator[str]:
    yield from title.segments[1:]
    yield from (aside.text for aside in title.asides if not aside.versions.kinds)


def _has_words(plain: str, text: str) -> bool:
    plain, text = count_parts(plain).text, count_parts(text).text  # "Part Two" is "Pt. 2"
    return set(text.split()) <= set(plain.split()) or text.replace(" ", "") in plain.replace(" ", "")


def _is_translation(text: str, title: Title) -> bool:
    """Whether the words are heard to be the title once more in another script: "桜 (Sakura)". What
    a translation says is not known: "桜 (Piano)" may as well be a version."""
    return differ_in_script(text, title.core) and sound_similarity(text, title.core) is not None


def _is_guest(text: str, view: View) -> bool:
    """Whether the words name an artist of the other side: "Slow Kite (Oto Lind)"."""
    return any(text == name for name in view.credit.everybody)
