"""Where an archive lies, read from one address: a folder on this machine, or a bucket of an S3-compatible store. Opens nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Lock = Literal["compliance", "governance", "none"]
LOCKS: Final[tuple[Lock, ...]] = ("compliance", "governance", "none")
MOST_YEARS: Final = 100
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_PREFIX = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*\Z", re.ASCII)
_KNOWN = {"endpoint", "region", "lock", "years", "profile"}


@dataclass(frozen=True, slots=True)
class Folder:
    """A local folder."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Bucket:
    """`s3://bucket/prefix?endpoint=…&region=…&lock=…&years=…&profile=…`; keys begin with `prefix` (empty, or with a slash at its end).

    `lock`: the Object Lock mode that a released document gets for `years` from its release; `none` asks for no lock. `profile`: the
    section of the credentials file.
    """

    bucket: str
    prefix: str
    endpoint: str
    region: str
    lock: Lock
    years: int
    profile: str

    def __str__(self) -> str:
        at = f" ({self.endpoint})" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix}{at}"


def place_of(url: str, default: Path) -> Folder | Bucket:
    """Read the address; an empty one is the default folder.

    Raises ValueError, in words that follow the variable's name.
    """
    if url.startswith("s3://"):
        return _bucket(url)
    if "://" in url and not url.startswith("file://"):
        raise ValueError("must be a folder, file:// or s3://bucket/prefix?endpoint=…")
    return Folder(Path(url.removeprefix("file://")).absolute() if url else default)


def _bucket(url: str) -> Bucket:
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    asked = dict(given)
    if parts.username or parts.password or "@" in parts.netloc:
        raise ValueError("must hold no key: keys stand in the environment or in TEKEN_ARCHIVE_CREDENTIALS")
    if unknown := sorted(asked.keys() - _KNOWN) or ([name for name, _ in given] if len(given) != len(asked) else []):
        raise ValueError(
            f"has an unknown or repeated part: {', '.join(unknown)}; known are {', '.join(sorted(_KNOWN))}"
        )
    prefix, endpoint = unquote(parts.path).strip("/"), asked.get("endpoint", "")
    lock, years = asked.get("lock", LOCKS[0]), asked.get("years", "10")
    if not _BUCKET.match(parts.netloc):
        raise ValueError("must name a bucket in lower case: s3://bucket/prefix")
    if prefix and not _PREFIX.match(prefix):
        raise ValueError("has a prefix with more than letters, digits, dot, hyphen and underscore")
    if endpoint and not _is_host(endpoint):
        raise ValueError("has an endpoint that is not https://host or http://host, with a port at most")
    if lock not in LOCKS:
        raise ValueError(f"lock must be {', '.join(LOCKS)}")
    if not (years.isdecimal() and 1 <= int(years) <= MOST_YEARS):
        raise ValueError(f"years must be a number from 1 to {MOST_YEARS}")
    return Bucket(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=endpoint.rstrip("/"),
        region=asked.get("region", "us-east-1"),
        lock=lock,
        years=int(years),
        profile=asked.get("profile", "default"),
    )


def _is_host(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    bare = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and bare
