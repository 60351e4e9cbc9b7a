"""The archive in a bucket of an S3-compatible store: create-only, checksummed, and locked once a document is released (ADR 0049)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from service.archive.errors import ArchiveDamaged, ArchiveUnreachable
from service.archive.names import MARKS, Listed, mark_path, name_at, path_of, sha256
from service.archive.session import client
from service.archive.trial import tried
from service.archive_place import Bucket

ASIDE: Final = "damaged/"
BODY_SECONDS: Final = 60
"""A body that trickles for longer is given up, however often a byte comes."""
REST_SECONDS: Final = 2
"""After a store that did not answer, this process asks it nothing for so long: others need the threads."""
_READS: Final = 3
_PUTS: Final = 4
_YEAR: Final = timedelta(days=366)
_GONE: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_THERE: Final = "PreconditionFailed"
_TWO_AT_ONCE: Final = "ConditionalRequestConflict"
_UNWELL: Final = 500
_TOO_OFTEN: Final = 429


@dataclass(slots=True)
class S3Archive:
    """One bucket under one prefix. Safe for threads; opens its connections at first use, after any fork."""

    place: Bucket
    credentials: Path | None = None
    _client: Any = None
    _quiet_until: float = 0
    _tried: Mapping[str, str] | None = None
    _lock: Lock = field(default_factory=Lock)

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256. Storing the same bytes again is a no-op; over damaged ones it raises ArchiveDamaged.

        Raises ArchiveUnreachable: then nobody knows whether it is stored, and it may be put again.
        """
        name = sha256(data)
        for left in reversed(range(_PUTS)):
            try:
                self._write(name, data, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) == _TWO_AT_ONCE and left:
                    time.sleep(0.05)
                    continue
                if _code(error) != _THERE:
                    raise self._told(error) from None
                self._check(name, len(data))
            break
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes.

        Raises ArchiveDamaged if they are missing or do not hash to their name, also when read again; ArchiveUnreachable.
        """
        for left in reversed(range(_READS)):
            try:
                data = self._read(name)
            except (BotoCoreError, TimeoutError):
                if left:
                    continue
                raise self._away() from None
            if sha256(data) == name:
                return data
        raise ArchiveDamaged(f"hash differs: {name}")

    def has(self, name: str) -> bool:
        """Tell whether the name exists (not whether it is sound). Raises ArchiveUnreachable."""
        try:
            self._head(name)
        except ArchiveDamaged:
            return False
        return True

    def keep(self, name: str, now: datetime) -> None:
        """Lock the object that is read under this name, by the place's mode, for its years from now on; longer ones stay.

        Raises ArchiveUnreachable where the bucket or our keys do not allow it: what should be locked is then not released.
        """
        version = self._head(name).get("VersionId")
        if self.place.lock == "none":
            return
        wish = {"Mode": self.place.lock.upper(), "RetainUntilDate": now + _YEAR * self.place.years}
        named = {"VersionId": version} if version else {}
        self._ask("put_object_retention", Key=self._key(name), Retention=wish, **named)

    def names(self, after: str = "") -> Iterator[Listed]:
        """Yield what is stored in the order of its names. Raises ArchiveUnreachable, also half-way."""
        prefix = self.place.prefix
        start = {"StartAfter": self._key(after)} if after else {}
        page: dict[str, Any] = {"IsTruncated": True}
        while page["IsTruncated"]:
            page = self._ask("list_objects_v2", bare=True, Prefix=prefix, **start)
            for one in page.get("Contents", ()):
                name = name_at(one["Key"].removeprefix(prefix))
                if name is not None and name > after:
                    yield Listed(name, one["LastModified"])
            start = {"ContinuationToken": page.get("NextContinuationToken", "")}

    def mend(self, name: str, data: bytes) -> None:
        """Give a lost or damaged name its bytes again; what stands there is copied aside first; versions stay."""
        assert sha256(data) == name, "a name is mended with its own bytes"
        with suppress(ArchiveDamaged):
            found = self._head(name)
            aside = f"{self.place.prefix}{ASIDE}{name}-{found['ETag'].strip(chr(34))[:16]}"
            self._ask("copy_object", Key=aside, CopySource={"Bucket": self.place.bucket, "Key": self._key(name)})
        try:
            self._write(name, data)
        except ClientError as error:
            raise self._told(error) from None

    def put_mark(self, order: tuple[int, int], data: bytes) -> None:
        """Keep a word. Raises ArchiveUnreachable."""
        try:
            self._call("put_object", Key=self.place.prefix + mark_path(order), Body=data, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) not in {_THERE, _TWO_AT_ONCE}:
                raise self._told(error) from None

    def newest_mark(self) -> bytes | None:
        """Return the newest word. Raises ArchiveUnreachable."""
        listed = self._ask("list_objects_v2", bare=True, Prefix=f"{self.place.prefix}{MARKS}/", MaxKeys=1)
        found = listed.get("Contents", ())
        return self._body(found[0]["Key"]) if found else None

    def tried(self, now: datetime) -> Mapping[str, str]:
        """Return what the store does with what it must refuse: found out once per process, by small objects under `probe/`.

        Raises ArchiveUnreachable; then it is tried again when next asked.
        """
        with self._lock:
            if self._tried is None:
                try:
                    self._tried = tried(self._opened(), self.place, now)
                except ClientError as error:
                    raise self._told(error) from None
                except BotoCoreError:
                    raise self._away() from None
            return self._tried

    def _write(self, name: str, data: bytes, **more: str) -> None:
        checksum = base64.b64encode(bytes.fromhex(name)).decode()
        told = self._call("put_object", Key=self._key(name), Body=data, ChecksumSHA256=checksum, **more)
        if told.get("ChecksumSHA256", checksum) != checksum:
            raise ArchiveDamaged(f"stored otherwise: {name}")

    def _check(self, name: str, size: int) -> None:
        """The name was taken when we came: by the same bytes, or this is damage. The store's own checksum spares the reading."""
        found = self._head(name)
        checksum = found.get("ChecksumSHA256")
        if checksum is None:
            self.get(name)
        elif (found["ContentLength"], checksum) != (size, base64.b64encode(bytes.fromhex(name)).decode()):
            raise ArchiveDamaged(f"hash differs: {name}")

    def _head(self, name: str) -> dict[str, Any]:
        return self._ask("head_object", Key=self._key(name), ChecksumMode="ENABLED")

    def _read(self, name: str) -> bytes:
        return self._body(self._key(name))

    def _body(self, key: str) -> bytes:
        until = time.monotonic() + BODY_SECONDS
        body, parts = self._ask("get_object", Key=key)["Body"], []
        try:
            for part in body.iter_chunks(1 << 16):
                parts.append(part)
                if time.monotonic() > until:
                    raise TimeoutError
        finally:
            body.close()
        return b"".join(parts)

    def _ask(self, act: str, *, bare: bool = False, **given: Any) -> dict[str, Any]:
        try:
            return self._call(act, **given)
        except ClientError as error:
            if _code(error) in _GONE and not bare:
                raise ArchiveDamaged(f"missing: {name_at(given['Key'].removeprefix(self.place.prefix))}") from None
            raise self._told(error) from None

    def _call(self, act: str, **given: Any) -> dict[str, Any]:
        if time.monotonic() < self._quiet_until:
            raise ArchiveUnreachable
        try:
            answer: dict[str, Any] = getattr(self._opened(), act)(Bucket=self.place.bucket, **given)
        except BotoCoreError:
            raise self._away() from None
        return answer

    def _away(self) -> ArchiveUnreachable:
        self._quiet_until = time.monotonic() + REST_SECONDS
        return ArchiveUnreachable()

    def _told(self, error: ClientError) -> ArchiveUnreachable:
        """Unwell is one thing; a store that answers well and says no wants an operator: keys, bucket, lock."""
        status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", _UNWELL))
        return self._away() if status >= _UNWELL or status == _TOO_OFTEN else ArchiveUnreachable("archive_refused")

    def _opened(self) -> Any:
        with_own = self._client
        if with_own is None:
            with_own = self._client = client(self.place, self.credentials)
        return with_own

    def _key(self, name: str) -> str:
        return self.place.prefix + path_of(name)


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))
