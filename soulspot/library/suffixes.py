"""Which file names are audio, and how a person calls what they hold."""

from __future__ import annotations

_READABLE = (
    "mp3 mp2 mp1 flac ogg oga opus spx ogv ogx oggflac oggtheora m4a m4b m4p m4r m4v mp4 3gp 3g2 alac"
    " wma asf wmv wav wave aif aiff aifc aac adts ac3 eac3 ape apl mpc mp+ mpp wv tta tak ofr ofs dsf dff"
)
_UNSUPPORTED = {
    "mka": "Matroska audio",
    "mkv": "Matroska video",
    "webm": "WebM",
    "shn": "Shorten",
    "dts": "DTS",
    "ra": "RealAudio",
    "rm": "RealMedia",
    "caf": "Core Audio",
    "au": "Sun audio",
    "snd": "Sun audio",
    "amr": "AMR",
    "la": "Lossless Audio",
}

UNSUPPORTED: dict[bytes, str] = {suffix.encode(): name for suffix, name in _UNSUPPORTED.items()}
"""Audio that mutagen has no reader for, by suffix: recorded as unreadable, so that a person learns of it."""

AUDIO = frozenset(suffix.encode() for suffix in _READABLE.split()) | frozenset(UNSUPPORTED)
"""Suffixes (lower case, without the dot) of every file the walk takes for audio."""


def suffix(path: bytes) -> bytes:
    """The lower-case suffix of a path, without its dot; b"" when it has none."""
    stem, dot, end = path.rpartition(b".")
    return end.lower() if dot and stem and b"/" not in end else b""


def is_audio(path: bytes) -> bool:
    """Whether the name says audio. `._x.mp3` is macOS' resource fork of x.mp3 and no audio."""
    name = path.rpartition(b"/")[2]
    return suffix(name) in AUDIO and not name.startswith(b"._")
