"""ZIP files that leave while they are made: never in memory, never on the disk."""

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

# name, moment (as its clock shows it), content in pieces, whether it gets smaller by compressing
File = tuple[str, datetime, Iterable[bytes], bool]
# Below this, pieces wait for each other: the server sends fewer and larger ones.
PIECE = 64 * 1024


def zip_of(files: Iterable[File]) -> Iterator[bytes]:
    """The archive in pieces. What is kept is one file as it goes in, and each one's entry for the
    list at the end."""
    outlet = _Outlet()
    with ZipFile(outlet, "w") as archive:
        for name, at, content, shrinks in files:
            entry = ZipInfo(name, at.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED if shrinks else ZIP_STORED
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w") as inside:
                for piece in content:
                    inside.write(piece)
            if outlet.waiting >= PIECE:
                yield outlet.take()
    yield outlet.take()


class _Outlet(io.RawIOBase):
    """Holds what was not taken yet. The archive may go back within that to fill in a file's size:
    programs that read the archive while it arrives find each file's size before it."""

    def __init__(self) -> None:
        self._taken = 0
        self._waiting = io.BytesIO()

    @property
    def waiting(self) -> int:
        return self._waiting.getbuffer().nbytes

    def take(self) -> bytes:
        piece = self._waiting.getvalue()
        self._taken += len(piece)
        self._waiting = io.BytesIO()
        return piece

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, piece) -> int:  # type: ignore[no-untyped-def] # any buffer
        return self._waiting.write(piece)

    def tell(self) -> int:
        return self._taken + self._waiting.tell()

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or place < self._taken:
            raise io.UnsupportedOperation("what was taken is gone")
        return self._taken + self._waiting.seek(place - self._taken)
