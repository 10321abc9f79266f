"""A comparison in words that a person understands."""

from soulspot.matching.scoring.features import ALIKE, OTHER, AlbumFeature, Comparison, LengthFeature, Likeness
from soulspot.matching.scoring.identifiers import Standing

_OUTCOMES = {
    Standing.VERIFIED: "agrees",
    Standing.UNSURE: "not confirmed",
    Standing.CONTRADICTED: "contradicted by title and artist or length",
}


def explain(c: Comparison, standing: Standing) -> tuple[str, ...]:
    """Return the reasons for a score, the weightiest first. For example ("title equal", "artist 97%
    alike", "length 1.2 s apart")."""
    untitled = "titles in scripts that cannot be compared" if c.title.is_foreign else "no title to compare"
    identifier = "id in the tags" if c.identifiers.recording_id else "ISRC or Spotify link"
    reasons = (
        f"{identifier} {_OUTCOMES[standing]}" if standing in _OUTCOMES else "",
        _describe_likeness("title", c.title) or untitled,
        _describe_likeness("artist", c.artist) or "no artist to compare",
        "only half of a duo, or lead and guest swapped" if c.artist.is_another_act else "",
        c.version.conflict,
        f"only one of them has {c.title.unknown_words!r}, perhaps a version" if c.title.unknown_words else "",
        "a title of many albums" if c.title.is_generic and not c.album.matches else "",
        "only one of them says which remix or edit" if c.version.is_half_named else "",
        _describe_length(c.length),
        _describe_album(c.album),
        "music video" if c.is_video else "",
    )
    return tuple(filter(None, reasons))


def _describe_likeness(name: str, feature: Likeness) -> str:
    likeness = feature.likeness
    if likeness is None:
        return ""
    if likeness >= 0.98:
        return f"{name} equal"
    if likeness >= ALIKE:
        return f"{name} {round(likeness * 100)}% alike"
    return f"another {name}" if likeness < OTHER else f"{name} only {round(likeness * 100)}% alike"


def _describe_length(length: LengthFeature) -> str:
    if length.apart_ms is None:
        return "length unknown"
    return "length equal" if length.apart_ms < 100 else f"length {length.apart_ms / 1000:.1f} s apart"


def _describe_album(album: AlbumFeature) -> str:
    if album.likeness is None:
        return ""
    if not album.matches:
        return "not known to be on this album"
    if album.position is None:
        return "album equal"
    return "album and position equal" if album.position else "album equal, another position"
