"""What came of one HTTP request so far, and how long the rest may take. For the web server's worker, `service/gathering.py`."""

from __future__ import annotations

import re
import tempfile

from gunicorn.http.unreader import Unreader

HEAD_SECONDS, BODY_SECONDS, MOST_SECONDS = 10.0, 15.0, 300.0
SLOWEST = 16_000
"""Bytes a second that a body must come with, beside the seconds that every one has."""
HEAD_BYTES, LINE_BYTES = 32_768, 8_190
BODY_BYTES = 24_000_000
"""Of a larger body nothing is read: the application refuses it by its announced length. Above the largest limit of any view."""
IN_MEMORY = 262_144
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_END, _LAST_CHUNK = b"\r\n\r\n", b"0\r\n\r\n"


class Inbox(Unreader):  # type: ignore[misc]
    """What came of a request so far. Reading it never touches the socket."""

    def __init__(self) -> None:
        super().__init__()
        self.begin(b"")

    def begin(self, data: bytes) -> None:
        """Start the next request, of which some may be here already."""
        self.buf.close()
        super().__init__()
        self.file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by `end`
        self.size, self.head, self.end_of_head, self.length, self.chunked = 0, b"", 0, 0, False
        self.tail = b""
        if data:
            self.add(data)

    def add(self, data: bytes) -> None:
        """Keep what came."""
        self.file.write(data)
        self.size += len(data)
        self.tail = (self.tail + data)[-len(_LAST_CHUNK) :]
        if not self.end_of_head:
            self.head += data[: HEAD_BYTES + len(_END)]
            self._look_at_head()

    def _look_at_head(self) -> None:
        end = self.head.find(_END)
        if end < 0:
            return
        self.end_of_head, head = end + len(_END), self.head[: end + 2]
        found = _LENGTH.search(head)
        self.chunked, self.length = bool(_CHUNKED.search(head)), int(found[1]) if found else 0
        self.head = head

    @property
    def whole(self) -> bool:
        """Tell whether all of the request is here."""
        if not self.end_of_head:
            return False
        return self.tail == _LAST_CHUNK if self.chunked else self.size >= self.end_of_head + self.length

    @property
    def ready(self) -> bool:
        """Tell whether a thread may have it: it is whole, or so large that nothing of it will be read."""
        return self.whole or (bool(self.end_of_head) and not self.chunked and self.length > BODY_BYTES)

    @property
    def heavy(self) -> bool:
        """Tell whether it takes room on the disk."""
        return self.length > IN_MEMORY or self.size > IN_MEMORY

    @property
    def refusal(self) -> str:
        """Return the status that ends it now, or nothing."""
        if not self.end_of_head and self.size > HEAD_BYTES:
            return "431 Request Header Fields Too Large" if b"\r\n" in self.head[:LINE_BYTES] else "414 URI Too Long"
        return "413 Content Too Large" if self.chunked and self.size > BODY_BYTES else ""

    @property
    def seconds(self) -> float:
        """Return how long this may take, from its first byte."""
        if not self.end_of_head:
            return HEAD_SECONDS
        expected = BODY_BYTES if self.chunked else self.length
        return float(min(BODY_SECONDS + expected / SLOWEST, MOST_SECONDS))

    def chunk(self, size_hint: int | None = None) -> bytes:  # noqa: ARG002 - as the base calls it
        """Return the next piece, or nothing at the end of what is here. A small one: the base copies what is left of it at each read."""
        return self.file.read(8192)

    def read(self, size: int | None = None, read_ahead: int | None = None) -> bytes:
        """Return so many bytes, straight from the file where nothing is held."""
        if size is not None and size > 0 and not self.buf.getbuffer().nbytes:
            return self.file.read(size)
        return bytes(super().read(size, read_ahead))

    def rewind(self) -> None:
        """Let the parser begin."""
        self.file.seek(0)

    def rest(self) -> bytes:
        """Return what stands behind the request that was served: the next one's beginning."""
        return bytes(self.take_buffered() + self.file.read())

    def end(self) -> None:
        """Give the room back."""
        self.file.close()
