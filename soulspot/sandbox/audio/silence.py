"""Silence as whole MP3, FLAC and M4A files, mono at 8 kHz, made frame by frame."""

import hashlib
import struct
from functools import cache

_RATE = 8000
_PER_MS = _RATE // 1000

_MP3_SAMPLES = 576
_MP3_FRAME_BYTES = 72  # 8 kbit/s
_MP3_HEADER = bytes.fromhex("ffe318c0")  # MPEG 2.5, layer III, no CRC, 8 kbit/s, 8 kHz, mono
# LAME puts a delay in front; players cut it, and the padding at the end, away again. A decoder lags
# by its own delay, which the padding has to cover.
_MP3_DELAY = 576
_MP3_DECODER_DELAY = 529

_FLAC_BLOCK = 4096
_AAC_SAMPLES = 1024
# A single channel element without scale factor bands, then END: three of 32 bits set (ISO 14496-3).
_AAC_SILENCE = bytes.fromhex("00000007")
_AAC_CONFIG = bytes.fromhex("1588")  # AAC-LC, 8 kHz, mono


def silent_mp3(duration_ms: int, stored_ms: int) -> bytes:
    """Return an MP3 whose Info header states `duration_ms`, with frames for `stored_ms`."""
    samples = duration_ms * _PER_MS
    frames = _ceil(samples + _MP3_DELAY + _MP3_DECODER_DELAY, _MP3_SAMPLES)
    padding = frames * _MP3_SAMPLES - samples - _MP3_DELAY
    info = _MP3_HEADER + bytes(9)  # the side information of an empty frame
    info += b"Info" + struct.pack(">III", 3, frames, (frames + 1) * _MP3_FRAME_BYTES)
    # Readers look for delay and padding only behind a version string of LAME 3.90 or later.
    info += b"LAME3.99 " + bytes((1,)) + bytes(10) + bytes((8,))
    info += (_MP3_DELAY << 12 | padding).to_bytes(3, "big") + bytes(12)
    stored = min(frames, _ceil(stored_ms * _PER_MS + _MP3_DELAY + _MP3_DECODER_DELAY, _MP3_SAMPLES))
    return info.ljust(_MP3_FRAME_BYTES, b"\0") + _MP3_HEADER.ljust(_MP3_FRAME_BYTES, b"\0") * stored


def silent_flac(duration_ms: int, stored_ms: int) -> bytes:
    """Return a FLAC that states `duration_ms`, with checksums and silence for `stored_ms`."""
    total, stored = duration_ms * _PER_MS, stored_ms * _PER_MS
    starts = range(0, stored, _FLAC_BLOCK)
    blocks = [_flac_frame(n, min(_FLAC_BLOCK, stored - start)) for n, start in enumerate(starts)]
    sizes = [len(block) for block in blocks]
    shape = _RATE << 44 | 0 << 41 | 15 << 36 | total  # rate, channels - 1, bits per sample - 1, samples
    info = struct.pack(">HH", _FLAC_BLOCK, _FLAC_BLOCK)
    info += min(sizes).to_bytes(3, "big") + max(sizes).to_bytes(3, "big") + shape.to_bytes(8, "big")
    # All zeros means "unknown" (RFC 9639, 8.2).
    info += _md5_of_zeros(total * 2) if stored == total else bytes(16)
    return b"fLaC" + bytes((0x80,)) + len(info).to_bytes(3, "big") + info + b"".join(blocks)


def _flac_frame(number: int, samples: int) -> bytes:
    whole = samples == _FLAC_BLOCK
    head = b"\xff\xf8" + bytes((0xC4 if whole else 0x74, 0x08))  # block size code, 8 kHz; mono, 16 bits
    head += chr(number).encode("utf-8", "surrogatepass")
    head += b"" if whole else (samples - 1).to_bytes(2, "big")
    head += _crc(head, 8, 0x07)
    # a constant subframe whose value is 0
    frame = head + b"\x00\x00\x00"
    return frame + _crc(frame, 16, 0x8005)


def _crc(data: bytes, width: int, polynomial: int) -> bytes:
    """Return the CRC of 8 or 16 bits, big-endian; zlib and binascii lack FLAC's polynomials."""
    table, mask, value = _crc_table(width, polynomial), (1 << width) - 1, 0
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> width - 8 ^ byte]
    return value.to_bytes(width // 8, "big")


@cache
def _crc_table(width: int, polynomial: int) -> tuple[int, ...]:
    top, mask = 1 << width - 1, (1 << width) - 1
    table = []
    for byte in range(256):
        value = byte << width - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return tuple(table)


def _md5_of_zeros(size: int) -> bytes:
    digest, block = hashlib.md5(usedforsecurity=False), bytes(1 << 16)
    for start in range(0, size, len(block)):
        digest.update(block[: size - start])
    return digest.digest()


def silent_m4a(duration_ms: int, stored_ms: int) -> bytes:
    """Return an MP4 that states `duration_ms`, with AAC-LC frames for `stored_ms` at its end."""
    total = duration_ms * _PER_MS
    stored = max(1, min(total, stored_ms * _PER_MS))
    frames = _ceil(stored, _AAC_SAMPLES)
    last = stored - (frames - 1) * _AAC_SAMPLES
    times = ((frames - 1, _AAC_SAMPLES), (1, last)) if frames > 1 else ((1, last),)
    config = bytes((0x40, 0x15)) + bytes(3) + struct.pack(">II", 8000, 0) + _descriptor(5, _AAC_CONFIG)
    esds = _full(b"esds", _descriptor(3, bytes(3) + _descriptor(4, config) + _descriptor(6, b"\x02")))
    entry = bytes(6) + struct.pack(">H8xHH4xI", 1, 1, 16, _RATE << 16) + esds

    def movie(data_at: int) -> bytes:
        table = _box(
            b"stbl",
            _full(b"stsd", struct.pack(">I", 1), _box(b"mp4a", entry)),
            _full(b"stts", struct.pack(">I", len(times)), *(struct.pack(">II", *pair) for pair in times)),
            _full(b"stsc", struct.pack(">IIII", 1, 1, frames, 1)),
            _full(b"stsz", struct.pack(">II", len(_AAC_SILENCE), frames)),
            _full(b"stco", struct.pack(">II", 1, data_at)),
        )
        where = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _box(b"url ", struct.pack(">I", 1))))
        media = _box(
            b"mdia",
            _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, _RATE, total, 0x55C4, 0)),  # language: undetermined
            _full(b"hdlr", struct.pack(">I4s12x", 0, b"soun"), b"\0"),
            _box(b"minf", _full(b"smhd", bytes(4)), where, table),
        )
        matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
        track = struct.pack(">IIII I8xHHH2x", 0, 0, 1, 0, total, 0, 0, 0x100) + matrix + bytes(8)
        whole = struct.pack(">IIIIIH10x", 0, 0, _RATE, total, 0x10000, 0x100) + matrix + bytes(24)
        return _box(
            b"moov", _full(b"mvhd", whole, struct.pack(">I", 2)), _box(b"trak", _full(b"tkhd", track, flags=7), media)
        )

    kind = _box(b"ftyp", b"M4A ", struct.pack(">I", 0), b"M4A mp42isom")
    # the offset has a fixed width: a first try tells how long the box is
    data_at = len(kind) + len(movie(0)) + 8
    return kind + movie(data_at) + _box(b"mdat", _AAC_SILENCE * frames)


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes((tag, len(body))) + body


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


def _full(name: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", flags), *parts)


def _ceil(amount: int, step: int) -> int:
    return -(-amount // step)
