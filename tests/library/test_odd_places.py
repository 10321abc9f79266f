"""Tags that other programs write in places and spellings of their own are read all the same."""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from mutagen.id3 import APIC, ID3, TIT2, TPE1, TSSE
from mutagen.mp4 import MP4

from tests.library.audio import copied, flac, mp3, read, tags_of, wav

Part = tuple[bytes, bytes]
FORMAT = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)  # 8 kHz, one byte a sample
SOUND = bytes(16_000)  # two seconds of it


def chunk(name: bytes, data: bytes, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(data)) + data + bytes(len(data) % 2)


def riff(parts: Iterable[Part], kind: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunk(*part) for part in parts)
    return kind + struct.pack("<I", len(body)) + body


def aiff(parts: Iterable[Part]) -> bytes:
    common = struct.pack(">hIh", 1, 16_000, 8) + bytes.fromhex("400bfa00000000000000")
    inside = [(b"COMM", common), *parts, (b"SSND", bytes(16_008))]
    body = b"AIFF" + b"".join(chunk(*part, order=">") for part in inside)
    return b"FORM" + struct.pack(">I", len(body)) + body


def info(pairs: Iterable[Part]) -> bytes:
    return b"INFO" + b"".join(chunk(*pair) for pair in pairs)


def id3(*frames: object) -> bytes:
    tag, file = ID3(), io.BytesIO()
    for frame in frames:
        tag.add(frame)
    tag.save(file)
    return file.getvalue()


def name(text: str) -> bytes:
    return id3(TIT2(encoding=3, text=[text]))


def comments(*pairs: str) -> bytes:
    data = struct.pack("<I", 3) + b"ref" + struct.pack("<I", len(pairs))
    return data + b"".join(struct.pack("<I", len(pair.encode())) + pair.encode() for pair in pairs)


def flac_of(folder: Path, *blocks: bytes) -> bytes:
    start = bytearray(flac(folder / "plain.flac").read_bytes())
    start[4] &= 0x7F
    last = len(blocks) - 1
    return bytes(start) + b"".join(
        bytes([4 | (128 if n == last else 0)]) + len(block).to_bytes(3, "big") + block for n, block in enumerate(blocks)
    )


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("pairs", "title", "artist"),
    [
        ([(b"INAM", b"Low Tide\0"), (b"IART", b"Vera Lind\0")], "Low Tide", "Vera Lind"),
        ([(b"IART", b"Vera Lind"), (b"INAM", b"Odd")], "Odd", "Vera Lind"),
        ([(b"INAM", "Ebbe für Ärzte".encode()), (b"IART", "Søren".encode("cp1252"))], "Ebbe für Ärzte", "Søren"),
        ([(b"ISFT", b"Lavf62"), (b"INAM", b"Low Tide")], "Low Tide", None),
    ],
)
def test_a_wav_file_has_the_names_of_its_info_list(
    tmp_path: Path, pairs: Sequence[Part], title: str, artist: str | None
) -> None:
    for number, parts in enumerate(
        (
            [(b"fmt ", FORMAT), (b"LIST", info(pairs)), (b"data", SOUND)],
            [(b"LIST", info(pairs)), (b"fmt ", FORMAT), (b"data", SOUND)],
            [(b"fmt ", FORMAT), (b"data", SOUND), (b"LIST", info(pairs))],
            [(b"fmt ", FORMAT), (b"data", SOUND), (b"\0x\0i", b""), (b"LIST", info(pairs))],
        )
    ):
        tags = tags_of(write(tmp_path / f"{number}.wav", riff(parts)))
        assert (tags.title, tags.artist, tags.duration_ms) == (title, artist, 2000)


def test_an_id3_chunk_counts_more_than_the_info_list_of_a_wav_file(tmp_path: Path) -> None:
    parts = [
        (b"fmt ", FORMAT), (b"LIST", info([(b"INAM", b"Low Ti"), (b"IPRD", b"Coast")])), (b"data", SOUND),
        (b"id3 ", name("Low Tide at Noon")),
    ]  # fmt: skip
    tags = tags_of(write(tmp_path / "x.wav", riff(parts)))
    assert (tags.title, tags.album) == ("Low Tide at Noon", "Coast")


def test_an_odd_chunk_that_was_not_filled_up_hides_nothing_behind_it(tmp_path: Path) -> None:
    unpadded = b"junk" + struct.pack("<I", 3) + b"abc"
    body = b"WAVE" + chunk(b"fmt ", FORMAT) + unpadded + chunk(b"data", SOUND)
    tags = tags_of(write(tmp_path / "x.wav", b"RIFF" + struct.pack("<I", len(body)) + body))
    assert tags.duration_ms == 2000


def test_an_aiff_file_has_the_names_of_its_text_chunks(tmp_path: Path) -> None:
    tags = tags_of(write(tmp_path / "x.aif", aiff([(b"NAME", b"Low Tide"), (b"AUTH", b"Vera Lind")])))
    assert (tags.title, tags.artist, tags.duration_ms) == ("Low Tide", "Vera Lind", 2000)
    both = aiff([(b"NAME", b"Low"), (b"AUTH", b"Vera Lind"), (b"ID3 ", name("Low Tide"))])
    assert tags_of(write(tmp_path / "y.aiff", both)).title == "Low Tide"


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_a_wav_file_of_more_than_four_gigabytes_is_read(tmp_path: Path, kind: bytes) -> None:
    sizes = struct.pack("<QQQI", 16_100, 16_000, 16_000, 0)
    body = b"WAVE" + chunk(b"ds64", sizes) + chunk(b"fmt ", FORMAT) + b"data" + struct.pack("<I", 0xFFFFFFFF) + SOUND
    path = write(tmp_path / "x.wav", kind + struct.pack("<I", 0xFFFFFFFF) + body)
    assert tags_of(path).duration_ms == 2000


@pytest.mark.parametrize(
    "content", [riff([(b"fmt ", FORMAT)]), riff([]), b"RIFF\xff\xff\xff\xffWAVEdata", aiff([])[:30]]
)
def test_a_file_of_chunks_without_sound_says_so(tmp_path: Path, content: bytes) -> None:
    assert "no sound" in str(read(write(tmp_path / "x.wav", content)).unreadable) or len(content) < 30


@pytest.mark.parametrize(
    "blocks",
    [
        (comments(), comments("TITLE=Low Tide", "ARTIST=Vera Lind")),
        (comments("ENCODER=some program"), comments("TITLE=Low Tide", "ARTIST=Vera Lind")),
        (comments("TITLE=Low Tide"), comments("TITLE=Old", "ARTIST=Vera Lind")),
        (comments(), comments(), comments("ARTIST=Vera Lind", "TITLE=Low Tide")),
    ],
)
def test_every_comment_block_of_a_flac_file_is_read_the_first_before_the_others(
    tmp_path: Path, blocks: Sequence[bytes]
) -> None:
    tags = tags_of(write(tmp_path / "x.flac", flac_of(tmp_path, *blocks)))
    assert (tags.title, tags.artist) == ("Low Tide", "Vera Lind")


def test_id3_tags_in_odd_places_are_read(tmp_path: Path) -> None:
    sound, plain = mp3(tmp_path / "plain.mp3").read_bytes(), flac(tmp_path / "plain.flac").read_bytes()
    encoder = id3(TSSE(encoding=3, text=["Lavf62"]))
    artist = id3(TPE1(encoding=3, text=["Vera Lind"]))
    old = b"TAG" + b"Low Ti".ljust(30, b"\0") + bytes(95)
    for file, content in (
        ("before.flac", name("Low Tide") + plain),
        ("second.mp3", encoder + name("Low Tide") + sound),
        ("third.mp3", encoder + artist + name("Low Tide") + sound),
        ("behind.mp3", sound + name("Low Tide")),
        ("before_id3v1.mp3", encoder + sound + name("Low Tide") + old),
    ):
        assert tags_of(write(tmp_path / file, content)).title in ("Low Tide", "Low Ti"), file
    assert tags_of(tmp_path / "third.mp3").artist == "Vera Lind"


@pytest.mark.parametrize("ending", ["flac", "m4a", "ogg", "wav", "wma"])
def test_sound_is_read_by_what_it_is_and_not_by_its_name(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"x.{ending}", name("Low Tide") + mp3(tmp_path / "plain.mp3").read_bytes())
    assert tags_of(path).title == "Low Tide"
    bare = write(tmp_path / f"bare.{ending}", mp3(tmp_path / "plain.mp3").read_bytes())
    assert tags_of(bare).duration_ms
    other = tmp_path / "x.mp3"
    assert tags_of(write(other, wav(tmp_path / "plain.wav", 2).read_bytes())).duration_ms == 2000
    assert tags_of(write(other, flac_of(tmp_path, comments("TITLE=Low Tide")))).title == "Low Tide"


@pytest.mark.parametrize("sizes", [[30], [33], [70], [8] * 5])
def test_a_tag_with_large_pictures_is_read(tmp_path: Path, sizes: list[int]) -> None:
    path = mp3(tmp_path / "x.mp3")
    tag = ID3()
    tag.add(TIT2(encoding=3, text=["Low Tide"]))
    for number, size in enumerate(sizes):
        tag.add(APIC(encoding=0, mime="image/png", type=3 + number, desc=str(number), data=bytes(size << 20)))
    tag.save(path)
    assert tags_of(path).title == "Low Tide"


def atom(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def data(content: bytes, kind: int = 1) -> bytes:
    return atom(b"data", struct.pack(">II", kind, 0) + content)


@pytest.fixture(scope="module")
def m4a(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("m4a") / "x.m4a"
    made = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-v", "error", "-y", str(path)]
    subprocess.run(["ffmpeg", *made], check=True)
    opened = MP4(path)
    opened.delete()
    opened = MP4(path)
    if opened.tags is None:
        opened.add_tags()
    opened["\xa9nam"] = "to be replaced"
    opened.save(padding=lambda _: 20_000)
    return path


def with_items(m4a: Path, path: Path, items: bytes) -> Path:
    """Write the file with these items in its tag; what is free behind them gives way."""
    raw = m4a.read_bytes()
    at = raw.index(b"ilst") - 4
    (old,) = struct.unpack_from(">I", raw, at)
    (free,) = struct.unpack_from(">I", raw, at + old)
    tag = atom(b"ilst", items)
    return write(path, raw[:at] + tag + atom(b"free", bytes(old + free - len(tag) - 8)) + raw[at + old + free :])


NAMES = atom(b"\xa9nam", data(b"Low Tide")) + atom(b"\xa9ART", data(b"Vera Lind"))
FREE = atom(b"mean", bytes(4) + b"com.apple.iTunes") + atom(b"name", bytes(4) + b"ISRC")


@pytest.mark.parametrize(
    "more",
    [
        b"", atom(b"----", FREE + b"\0\0"), atom(b"----", FREE), atom(b"trkn", data(b"\0\0\3", 0)),
        atom(b"trkn", data(b"3/12", 1)), atom(b"disk", data(b"", 0)),
        atom(b"covr", data(b"\xff\xd8\xff" + bytes(20), 13) + atom(b"name", b"\0")), atom(b"tmpo", data(b"\1\2\3\4\5", 21)),
        atom(b"cpil", b""), atom(b"gnre", data(b"\xff", 0)), atom(b"\xa9day", data(b"\xff\xfe\xfd")),
    ],
)  # fmt: skip
def test_a_damaged_atom_costs_that_atom_alone(tmp_path: Path, m4a: Path, more: bytes) -> None:
    for number, items in enumerate((NAMES + more, more + NAMES)):
        tags = tags_of(with_items(m4a, tmp_path / f"{number}.m4a", items))
        assert (tags.title, tags.artist) == ("Low Tide", "Vera Lind")


@pytest.mark.parametrize(
    ("content", "kind"), [("Flut für Élise".encode("utf-16-be"), 2), ("Flut für Élise".encode("cp1252"), 1)]
)
def test_names_of_an_m4a_file_in_older_encodings_are_read(tmp_path: Path, m4a: Path, content: bytes, kind: int) -> None:
    path = with_items(m4a, tmp_path / "x.m4a", atom(b"\xa9nam", data(content, kind)))
    assert tags_of(path).title == "Flut für Élise"


@pytest.mark.parametrize(
    ("pairs", "field", "value"),
    [
        (("ALBUMARTIST=Vera Lind", "ALBUM ARTIST=Lind, Vera"), "album_artist", "Vera Lind"),
        (("ALBUM ARTIST=Lind, Vera", "ALBUMARTIST=Vera Lind"), "album_artist", "Vera Lind"),
        (("ENSEMBLE=Coast Choir", "ALBUMARTIST=Vera Lind"), "album_artist", "Vera Lind"),
        (("ENSEMBLE=Coast Choir",), "album_artist", "Coast Choir"),
        (("AUTHOR=A Writer", "ARTIST=A Reader"), "artist", "A Reader"),
        (("AUTHOR=A Writer",), "artist", "A Writer"),
        (("TRACK=1", "TRACKNUMBER=3"), "track_number", 3),
        (("TRACK=2",), "track_number", 2),
        (("DISK=2", "DISCNUMBER=1"), "disc_number", 1),
        (("ARTIST=One", "ARTIST=Other"), "artist", "One, Other"),
        (("TITLE=", "WM/TITLE=Low Tide"), "title", "Low Tide"),
    ],
)
def test_of_synonymous_fields_the_standard_one_counts(
    tmp_path: Path, pairs: Sequence[str], field: str, value: object
) -> None:
    tags = tags_of(write(tmp_path / "x.flac", flac_of(tmp_path, comments(*pairs))))
    assert getattr(tags, field) == value


def test_a_frame_of_its_own_counts_more_than_a_free_one_of_that_name(tmp_path: Path) -> None:
    def frame(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack(">I", len(content)) + b"\0\0" + content

    body = frame(b"TXXX", b"\0TITLE\0Stale") + frame(b"TXXX", b"\0ARTIST\0Stale")
    body += frame(b"TIT2", b"\0Low Tide") + frame(b"TPE1", b"\0Vera Lind")
    size = bytes((len(body) >> shift) & 127 for shift in (21, 14, 7, 0))
    content = b"ID3\3\0\0" + size + body + mp3(tmp_path / "plain.mp3").read_bytes()
    tags = tags_of(write(tmp_path / "x.mp3", content))
    assert (tags.title, tags.artist) == ("Low Tide", "Vera Lind")


@pytest.mark.parametrize(
    ("ending", "codec"), [("ogg", "libvorbis"), ("opus", "libopus"), ("oga", "flac"), ("spx", "libspeex")]
)
def test_streams_that_follow_each_other_count_together(tmp_path: Path, ending: str, codec: str) -> None:
    parts = []
    for number in range(3):
        path = tmp_path / f"{number}.{ending}"
        made = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-ar", "16000" if ending == "spx" else "48000"]
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            *made,
            "-c:a",
            codec,
            "-serial_offset",
            str(10 * number + 7),
            str(path),
        ]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip(f"ffmpeg has no {codec} here")
        parts.append(path.read_bytes())
    whole = tags_of(write(tmp_path / f"whole.{ending}", b"".join(parts)))
    assert whole.duration_ms == pytest.approx(6000, abs=250)
    assert tags_of(tmp_path / f"0.{ending}").duration_ms == pytest.approx(2000, abs=120)


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
@pytest.mark.parametrize("tag", [(b"LIST", info([(b"INAM", b"Low Tide")])), (b"id3 ", name("Low Tide"))])
def test_tags_behind_the_sound_of_a_large_wav_file_are_read(tmp_path: Path, kind: bytes, tag: Part) -> None:
    sizes = struct.pack("<QQQI", 16_100, 16_000, 16_000, 0)
    data = b"data" + struct.pack("<I", 0xFFFFFFFF) + SOUND
    body = b"WAVE" + chunk(b"ds64", sizes) + chunk(b"fmt ", FORMAT) + data + chunk(*tag)
    tags = tags_of(write(tmp_path / "x.wav", kind + struct.pack("<I", 0xFFFFFFFF) + body))
    assert (tags.title, tags.duration_ms) == ("Low Tide", 2000)


NAMED_OTHERWISE = [
    "mutagen/silence-1.wma", "mutagen/silence-44-s.flac", "mutagen/no_length.wv", "mutagen/mac-399.ape",
    "mutagen/sv8_header.mpc", "mutagen/empty.ofr", "mutagen/silence-44-s.tak", "mutagen/empty.aac",
    "mutagen/silence-44-s.ac3", "mutagen/has-tags.m4a", "mutagen/empty.tta", "mutagen/with-id3.dsf",
    "mutagen/5644800-2ch-s01-silence.dff",
]  # fmt: skip


@pytest.mark.parametrize("ending", ["flac", "mp3", "wav", "m4a"])
@pytest.mark.parametrize("source", NAMED_OTHERWISE)
def test_sound_of_every_kind_is_read_under_the_name_of_another(tmp_path: Path, source: str, ending: str) -> None:
    own = copied(source, tmp_path)
    other = write(tmp_path / f"other.{ending}", own.read_bytes())
    assert read(other).tags == read(own).tags
    assert read(other).unreadable is None
