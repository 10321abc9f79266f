"""Promises that hold for any tags and any candidates."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.matching import Candidate, MatchPolicy, compare_records, decide, normalise_tags
from soulspot.models import Entity, Identifiers, TrackTags, Verdict
from soulspot.text import fold, latin

# Pieces that parsers look for, so that random names often hold them.
WORDS = [
    "Paper",
    "Boats",
    "Live",
    "remix",
    "さくら",
    "Кино",
    "فيروز",
    "é",
    "ライブ",
    "The",
    ", The",
    "Track 01",
]
SIGNS = ["(", ")", " - ", "&", "/", "[", "]", "'", "$", "_", "\u0300"]
PHRASES = ["(live)", "- Live at Leeds", "feat. Oto", "Part 1", "II", "No. 5", "03 - ", '12"', "(2001)"]
PIECES = st.sampled_from([*WORDS, *SIGNS, *PHRASES])
NAMES = st.one_of(st.lists(PIECES, max_size=6).map(" ".join), st.text(max_size=12))
MAYBE = st.none() | NAMES
NUMBERS = st.none() | st.integers(1, 40)
LENGTHS = st.none() | st.integers(1, 6_000_000)
IDS = st.sampled_from(["a", "b", "c", "d"])

TAGS = st.builds(
    TrackTags,
    title=MAYBE,
    artist=MAYBE,
    artists=st.lists(NAMES, max_size=2).map(tuple),
    album=MAYBE,
    album_artist=MAYBE,
    track_number=NUMBERS,
    disc_number=NUMBERS,
    duration_ms=LENGTHS,
    ids=st.builds(Identifiers, mb_recording_ids=st.lists(IDS, max_size=1).map(tuple)),
)
RELEASES = st.lists(
    st.fixed_dictionaries({"title": NAMES, "id": IDS}, optional={"track_number": st.integers(1, 40), "status": NAMES}),
    max_size=3,
)
# Providers leave out any field but title and artist.
FIELDS = st.fixed_dictionaries(
    {"title": NAMES, "artist": NAMES},
    optional={
        "duration_ms": st.integers(1, 6_000_000),
        "disambiguation": NAMES,
        "releases": RELEASES,
        "album": NAMES,
        "artist_aliases": st.lists(NAMES, max_size=2),
        "video": st.booleans(),
        "isrcs": st.lists(IDS, max_size=2),
    },
)
CANDIDATES = st.lists(
    st.builds(
        lambda provider, id, fields, by: Candidate(Entity(provider, "recording", id, fields), frozenset(by)),
        st.sampled_from(["musicbrainz", "listenbrainz"]),
        IDS,
        FIELDS,
        st.sets(st.sampled_from(["text", "isrc", "recording id", "spotify link"])),
    ),
    max_size=5,
)
PATHS = (
    st.none()
    | st.binary(max_size=40)
    | st.lists(NAMES, max_size=4).map(lambda p: "/".join(p).encode("utf-8", "replace"))
)


@given(TAGS, CANDIDATES, PATHS, st.randoms())
@settings(max_examples=200, deadline=None)
def test_any_decision_is_well_formed_and_does_not_depend_on_the_order_of_candidates(
    tags, candidates, path, random
) -> None:  # type: ignore[no-untyped-def]
    policy = MatchPolicy()
    made = decide(tags, candidates, policy, path=path)
    assert 0.0 <= made.confidence <= 1.0
    assert 0.0 <= made.margin <= 1.0
    assert all(0.0 <= scored.score <= 1.0 and scored.reasons for scored in made.ranked)
    assert made.best == (made.ranked[0] if made.ranked else None)
    assert made.best or made.verdict is Verdict.NONE
    assert made.reasons
    if made.verdict is Verdict.ACCEPTED:
        assert made.confidence >= policy.accept
    if made.release is not None:
        assert made.best is not None
        assert made.release in made.best.candidate.entity.fields["releases"]
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert decide(tags, shuffled, policy, path=path) == made


@given(TAGS, PATHS)
@settings(max_examples=200, deadline=None)
def test_tidying_twice_changes_nothing_more(tags, path) -> None:  # type: ignore[no-untyped-def]
    once = normalise_tags(tags, path)
    assert normalise_tags(once, path) == once
    assert normalise_tags(once) == once


@given(NAMES)
@settings(deadline=None)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert latin(latin(text)) == latin(text)


@given(TAGS, TAGS)
@settings(max_examples=150, deadline=None)
def test_two_records_are_as_alike_one_way_as_the_other(a: TrackTags, b: TrackTags) -> None:
    assert compare_records(a, b) == compare_records(b, a)
    assert 0.0 <= compare_records(a, b) <= 1.0
