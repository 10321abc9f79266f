"""Silence as whole Ogg Vorbis and Ogg Opus files, made packet by packet without an encoder."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

import struct
from collections.abc import Sequence

from mutagen.ogg import OggPage

VORBIS_RATE = 8000
_BLOCK = 8192  # samples, the largest Vorbis block; each packet after the first adds half of it
_PAGE_PACKETS = 255  # entries in the lacing table of one page
# Granule positions of Opus always count at this rate (RFC 7845, 4).
_OPUS_RATE = 48_000
_OPUS_PACKET = 5760  # samples: 120 ms, the longest packet
_OPUS_PRE_SKIP = 312

# Code 3, six equal CELT frames of 20 ms; FF FE sets the silence flag (RFC 6716, 3.2.5, 4.3).
_OPUS_SILENCE = bytes((0xFB, 6)) + b"\xff\xfe" * 6
_NO_COMMENTS = struct.pack("<I8sI", 8, b"SoulSpot", 0)


def silent_vorbis(duration_ms: int, stored_ms: int) -> bytes:
    """Return an Ogg Vorbis file (mono, 8 kHz) that states `duration_ms` and holds `stored_ms`."""
    identification = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 1, VORBIS_RATE, 0, 1000, 0, 0xDD, 1)
    comments = b"\x03vorbis" + _NO_COMMENTS + b"\x01"
    half = _BLOCK // 2
    packets = 1 - (-stored_ms * VORBIS_RATE // 1000 // half)
    # Type 0 (audio), then "this floor is unused" for the only channel: silence in two bits.
    return _ogg(
        (identification, comments, _vorbis_setup()),
        packet=b"\x00",
        ends=[(n - 1) * half for n in range(1, packets + 1)],
        total=duration_ms * VORBIS_RATE // 1000,
    )


def silent_opus(duration_ms: int, stored_ms: int) -> bytes:
    """Return an Ogg Opus file (mono) that states `duration_ms` and holds `stored_ms`."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, _OPUS_PRE_SKIP, _OPUS_RATE, 0, 0)
    stored = _OPUS_PRE_SKIP + stored_ms * _OPUS_RATE // 1000
    return _ogg(
        (head, b"OpusTags" + _NO_COMMENTS),
        packet=_OPUS_SILENCE,
        ends=list(range(_OPUS_PACKET, stored + _OPUS_PACKET, _OPUS_PACKET)),
        total=_OPUS_PRE_SKIP + duration_ms * _OPUS_RATE // 1000,
    )


def _ogg(headers: Sequence[bytes], *, packet: bytes, ends: Sequence[int], total: int) -> bytes:
    """Return a stream: headers, then `packet` for each granule position in `ends` to `total`."""
    # the first header must have a page to itself
    pages = [_page([headers[0]], 0), _page(list(headers[1:]), 0)]
    inner = ends[:-1]
    for start in range(0, len(inner), _PAGE_PACKETS):
        held = inner[start : start + _PAGE_PACKETS]
        pages.append(_page([packet] * len(held), held[-1]))
    # So must the last packet: some decoders trim to an end only against the page before it.
    pages.append(_page([packet], total))
    pages[0].first = pages[-1].last = True
    for sequence, page in enumerate(pages):
        page.sequence = sequence
    return b"".join(page.write() for page in pages)


def _page(packets: list[bytes], position: int) -> OggPage:
    page = OggPage()
    page.serial = 1
    page.packets = packets
    page.position = position
    return page


def _vorbis_setup() -> bytes:
    """Return the smallest setup header (Vorbis I, 4.2.4)."""
    # fmt: off
    fields = (
        # (width in bits, value)
        (8, 0), (24, 0x564342), (16, 1), (24, 2), (1, 0), (1, 0), (5, 0), (5, 0), (4, 0),  # codebook: 2 words
        (6, 0), (16, 0),  # time domain transform: a placeholder in every stream
        (6, 0), (16, 1), (5, 0), (2, 0), (4, 12),  # floor 1 without partitions
        (6, 0), (16, 1), (24, 0), (24, 0), (24, 31), (6, 0), (8, 0), (3, 0), (1, 0),  # residue over nothing
        (6, 0), (16, 0), (1, 0), (1, 0), (2, 0), (8, 0), (8, 0), (8, 0),  # mapping
        (6, 0), (1, 0), (16, 0), (16, 0), (8, 0),  # mode: short blocks
        (1, 1),  # framing
    )
    # fmt: on
    bits = width = 0
    # Vorbis packs the least significant bit first
    for size, value in fields:
        bits |= value << width
        width += size
    return b"\x05vorbis" + bits.to_bytes((width + 7) // 8, "little")
