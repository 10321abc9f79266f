"""File name suffixes: those of audio files, and those of audio that no reader here understands."""

_READABLE = (
    "mp3 mp2 mp1 flac ogg oga opus spx ogv ogx oggflac oggtheora m4a m4b m4p m4r m4v mp4 3gp 3g2 alac"
    " wma asf wmv wav wave aif aiff aifc aac adts ac3 eac3 ape apl mpc mp+ mpp wv tta tak ofr ofs dsf dff"
)
UNSUPPORTED: dict[bytes, str] = {
    b"mka": "Matroska audio", b"mkv": "Matroska video", b"webm": "WebM", b"shn": "Shorten", b"dts": "DTS",
    b"ra": "RealAudio", b"rm": "RealMedia", b"caf": "Core Audio", b"au": "Sun audio", b"snd": "Sun audio",
    b"amr": "AMR", b"la": "Lossless Audio",
}  # fmt: skip
"""Audio that mutagen has no reader for, suffix -> name. The scan records such files as unreadable,
so that their owner learns of them."""
AUDIO = frozenset(suffix.encode() for suffix in _READABLE.split()) | frozenset(UNSUPPORTED)
"""Suffixes (lower case, without the dot) of all files that a scan takes for audio."""


def suffix(path: bytes) -> bytes:
    """Return the lower-case suffix of a path without its dot; b"" when the path has none."""
    stem, dot, end = path.rpartition(b".")
    return end.lower() if dot and stem and b"/" not in end else b""


def is_audio(path: bytes) -> bool:
    name = path.rpartition(b"/")[2]
    # "._x.mp3" is the resource fork that macOS writes beside x.mp3 on foreign file systems.
    return suffix(name) in AUDIO and not name.startswith(b"._")
