"""ZIP files that leave while they are made."""

import io
import struct
import zipfile
from collections.abc import Iterator
from datetime import datetime

from webapp import archives
from webapp.archives import File, zip_of

AT = datetime(2026, 11, 23, 10, 15, 30)


def files(count: int, size: int = 1000) -> Iterator[File]:
    for at in range(count):
        yield f"{at:06d}.pdf", AT, [bytes([at % 256]) * size], False
    yield "index.csv", AT, iter([b"a,b\r\n", b"1,2\r\n"] * 50), True


def test_what_was_put_in_is_read_back() -> None:
    whole = b"".join(zip_of(files(3)))

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["000000.pdf", "000001.pdf", "000002.pdf", "index.csv"]
        assert archive.read("000001.pdf") == b"\x01" * 1000
        assert archive.read("index.csv") == b"a,b\r\n1,2\r\n" * 50
        entry = archive.getinfo("index.csv")
        assert entry.date_time == (2026, 11, 23, 10, 15, 30)
        assert entry.compress_size < entry.file_size


def test_sizes_stand_before_each_file_for_programs_that_read_as_it_arrives() -> None:
    whole = b"".join(zip_of(files(1)))

    flags, method, crc, packed, unpacked = struct.unpack("<HH4xLLL", whole[6:26])
    assert (flags & 0x08, method, packed, unpacked) == (0, 0, 1000, 1000)
    assert crc == zipfile.crc32(b"\x00" * 1000)


def test_it_leaves_in_pieces_and_nothing_is_kept() -> None:
    pieces = zip_of(files(500, 10_000))
    sizes = [len(piece) for piece in pieces]

    assert sum(sizes) > 5_000_000
    assert max(sizes[:-1]) < archives.PIECE + 11_000
    # The list at the end, of fewer than a hundred bytes for each file.
    assert sizes[-1] < 501 * 100 + archives.PIECE


def test_more_files_than_the_old_format_counts() -> None:
    whole = b"".join(zip_of(files(66_000, 1)))

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert len(archive.namelist()) == 66_001
        assert archive.read("065999.pdf") == bytes([65_999 % 256])


def test_without_any_file_it_is_an_archive_still() -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_of([])))) as archive:
        assert archive.namelist() == []
