"""Releases ranked for an album: by its artist, and able to hold its tracks, before others."""

from __future__ import annotations

from typing import Any

from soulspot.matching import choose_editions
from soulspot.models import MUSICBRAINZ, Entity, TrackTags
from tests.matching.make import tags


def release(
    id: str,
    tracks: int | None = 12,
    title: str = "Night Shift",
    artist: str | None = "The Lanterns",
    **more: Any,
) -> Entity:
    """Return an official album; `more` goes into its fields, or else into its entry."""
    own = {name: more.pop(name) for name in ("artist_aliases",) if name in more}
    entry = {
        "id": id,
        "title": title,
        "status": "Official",
        "primary_type": "Album",
        "date": "2001-05-04",
        **more,
    }
    fields = {
        "album": title, "album_artist": artist, "track_count": tracks, "release_date": entry["date"],
        "mb_release_id": id, "releases": [entry], **own,
    }  # fmt: skip
    return Entity(MUSICBRAINZ, "release", id, {k: v for k, v in fields.items() if v is not None})


def chosen(
    *releases: Entity,
    known: TrackTags | None = None,
    album: str = "Night Shift",
    artist: str | None = "The Lanterns",
    size: int = 12,
) -> list[str]:
    return [one.id for one in choose_editions(known or tags("x"), album, artist, releases, size=size)]


def test_an_album_of_twelve_is_the_plain_edition_and_one_of_eighteen_the_deluxe() -> None:
    both = release("plain", 12), release("deluxe", 18)
    assert chosen(*both, size=12) == ["plain", "deluxe"]
    assert chosen(*both, size=18) == ["deluxe", "plain"]
    assert chosen(*both, size=14) == ["deluxe", "plain"]


def test_an_edition_that_is_named_is_preferred_to_the_plain_name() -> None:
    both = release("plain", 12), release("deluxe", 18, "Night Shift (Deluxe Edition)")
    assert chosen(*both, album="Night Shift (Deluxe Edition)", size=14)[0] == "deluxe"
    assert chosen(*both, size=10)[0] == "plain"


def test_of_a_part_of_an_album_the_tags_tell_how_long_the_whole_is() -> None:
    both = release("plain", 12), release("deluxe", 18)
    assert chosen(*both, known=tags("x", track_total=18), size=5)[0] == "deluxe"
    assert chosen(*both, known=tags("x", track_number=15), size=5)[0] == "deluxe"
    assert chosen(*both, size=5)[0] == "plain"


def test_an_edition_too_short_for_the_tracks_is_the_last_choice_and_still_one() -> None:
    assert chosen(release("short", 8), size=12) == ["short"]


def test_an_official_album_goes_before_a_bootleg_and_before_a_single() -> None:
    found = chosen(
        release("boot", status="Bootleg"), release("single", primary_type="Single"), release("album"),
        release("live", secondary_types=["Live"]),
    )  # fmt: skip
    assert (found[0], found[-1]) == ("album", "boot")


def test_the_year_of_the_tags_chooses_between_editions_and_without_one_the_first_is_taken() -> None:
    both = release("again", date="2011-01-01"), release("first")
    assert chosen(*both)[0] == "first"
    assert chosen(*both, known=tags("x", date="2011"))[0] == "again"


def test_an_album_of_another_artist_or_another_name_is_none() -> None:
    assert chosen(release("stranger", artist="Somebody Else")) == []
    assert chosen(release("other", title="Day Trip")) == []
    assert chosen() == []


def test_an_artist_by_another_name_is_the_same() -> None:
    alias = release("r", artist="山田太郎", artist_aliases=["The Lanterns"])
    assert chosen(alias) == ["r"]


def test_a_compilation_is_found_among_compilations_alone_and_an_artists_album_before_them() -> None:
    both = release("own", title="Summer Hits"), release("va", title="Summer Hits", artist="Various Artists")
    assert chosen(*both, album="Summer Hits", artist=None) == ["va"]
    assert chosen(*both, album="Summer Hits")[0] == "own"


def test_a_release_that_says_little_is_possible_and_comes_after_those_that_agree() -> None:
    bare = Entity(MUSICBRAINZ, "release", "bare", {"album": "Night Shift"})
    assert chosen(bare, release("full")) == ["full", "bare"]
    assert chosen(Entity(MUSICBRAINZ, "release", "empty", {})) == []


def test_the_order_in_which_releases_were_found_does_not_matter() -> None:
    several = [release(f"r{n}", 10 + n % 3, date=f"200{n % 4}") for n in range(8)]
    assert chosen(*several) == chosen(*reversed(several))
