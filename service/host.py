"""The signing host's own file (`TEKEN_SIGNING_HOST`): where its tokens and services are, and whose account is whose.

It holds NIKs, so nobody but its owner may read it; only the signing process and the doctor do. An error names the file and
the key, never a value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from signing import Wire

_OTHERS = 0o077
_DEPTH = 2
Told = TypeVar("Told", bound="HostTable")
_PLACE = re.compile(r"at line \d+, column \d+|at end of document")


class HostInvalid(Exception):
    """A file of this host's own can't be used. The message names file and key, never a value."""


@dataclass(frozen=True, slots=True)
class Token:
    """One PKCS#11 token. `certificates` holds `<office>.<code>.cert.pem` with its chain.

    `pins` holds `<office>.<code>.pin` of keys that nobody types for: the seals. `seal_token` is the seals' own token: where
    there is none, its PIN file opens the officials' keys too.
    """

    module: Path
    token: str
    certificates: Path
    pins: Path | None = None
    seal_token: str | None = None


@dataclass(frozen=True, slots=True)
class Csc:
    """A service that speaks CSC v1. `credentials` by owner (`office/code`); `token_file` holds this application's bearer token."""

    url: str
    credentials: Mapping[str, str] = field(repr=False)
    token_file: Path | None = None
    pins: Path | None = None
    seconds: float = 60.0

    @property
    def token(self) -> str:
        """This application's own token, read anew each time. Raises OSError."""
        return self.token_file.read_text("utf-8").strip() if self.token_file else ""


@dataclass(frozen=True, slots=True)
class Bsre:
    """BSrE's Esign Client Service. `accounts`: NIK or e-mail address by official; `seals`: idSubscriber by office."""

    url: str
    user: str
    password_file: Path
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    seals: Mapping[str, str] = field(default_factory=dict, repr=False)
    origin: Literal["bottom", "top"] = "bottom"
    chunk: int = 10
    totp_covers: Literal["request", "batch"] = "request"
    seconds: float = 45.0
    ca_file: Path | None = None

    def wire(self) -> Wire:
        """The address with this application's login, read anew each time. Raises OSError, KeyUnusable("service_insecure")."""
        from signing import Wire  # loaded where something is signed, not where a command is parsed

        password = self.password_file.read_text("utf-8").strip()
        return Wire(self.url, self.user, password, seconds=self.seconds, ca_file=self.ca_file)


@dataclass(frozen=True, slots=True)
class SigningHost:
    """What this host can sign with, besides key files. None: not set up here."""

    pkcs11: Token | None = None
    csc: Csc | None = None
    bsre: Bsre | None = None


def read_host(path: Path | None) -> SigningHost:
    """Read the file; no path, nothing set up. Relative paths in it are relative to it.

    Raises HostInvalid: missing, readable for others, not TOML, unknown key, unusable value, a file in it that isn't there.
    """
    return SigningHost() if path is None else _host(read_closed(path, _File), path)


def read_closed(path: Path, shape: type[Told], depth: int = _DEPTH) -> Told:
    """Read a file that nobody but its owner may read. Of what is wrong, `depth` parts of the key's name are told.

    Raises HostInvalid: missing, readable for others, not TOML, unknown key, unusable value.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise HostInvalid(f"{path}: others may read it; set mode 0600")
        return shape(**tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise HostInvalid(f"{path}: {type(error).__name__}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = _PLACE.search(str(error))
        raise HostInvalid(f"{path}: not TOML {place.group() if place else ''}".rstrip()) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise HostInvalid(f"{path}: {_key(first['loc'], depth)}: {_WHY.get(first['type'], 'unusable value')}") from None


class HostTable(BaseModel):
    """A table of such a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Pkcs11(HostTable):
    module: Path
    token: Annotated[str, Field(min_length=1, max_length=32)]
    certificates: Path
    pins: Path | None = None
    seal_token: Annotated[str, Field(min_length=1, max_length=32)] | None = None


_Owned = dict[Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9_]+$")], Annotated[str, Field(min_length=1)]]
_Url = Annotated[str, Field(pattern=r"^https?://[^@\s]+$")]
_Seconds = Annotated[float, Field(gt=0, le=600)]


class _Csc(HostTable):
    url: _Url
    credentials: _Owned
    token_file: Path | None = None
    pins: Path | None = None
    seconds: _Seconds = 60.0


class _Bsre(HostTable):
    url: _Url
    user: Annotated[str, Field(min_length=1)]
    password_file: Path
    accounts: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9_]+$")],
        Annotated[str, Field(pattern=r"^(\d{16}|[^@\s]+@[^@\s]+)$")],
    ] = {}
    seals: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], Annotated[str, Field(min_length=1)]] = {}
    origin: Literal["bottom", "top"] = "bottom"
    chunk: Annotated[int, Field(ge=1, le=100)] = 10
    totp_covers: Literal["request", "batch"] = "request"
    seconds: _Seconds = 45.0
    ca_file: Path | None = None


class _File(HostTable):
    pkcs11: _Pkcs11 | None = None
    csc: _Csc | None = None
    bsre: _Bsre | None = None


_WHY = {"missing": "missing", "extra_forbidden": "unknown key"}


def _key(location: tuple[int | str, ...], depth: int) -> str:
    """The key's name. Below a mapping nothing is told: somebody may have written a NIK on the wrong side."""
    return ".".join(str(part) for part in location[:depth])


def _host(told: _File, path: Path) -> SigningHost:
    """Make paths absolute, and refuse what isn't there before a tray waits for it."""

    def at(table: str, given: dict[str, Any]) -> dict[str, Any]:
        for key, value in given.items():
            if isinstance(value, Path):
                given[key] = path.parent.absolute() / value.expanduser()
                if not given[key].exists():
                    raise HostInvalid(f"{path}: {table}.{key}: no such file or folder")
                if key in _SECRETS and given[key].stat().st_mode & _OTHERS:
                    raise HostInvalid(f"{path}: {table}.{key}: others may read it; set mode 0600 (a folder: 0700)")
        return given

    host = SigningHost(
        Token(**at("pkcs11", told.pkcs11.model_dump())) if told.pkcs11 else None,
        Csc(**at("csc", told.csc.model_dump())) if told.csc else None,
        Bsre(**at("bsre", told.bsre.model_dump())) if told.bsre else None,
    )
    for table, service in (("csc", host.csc), ("bsre", host.bsre)):
        if service is not None:
            _check_address(service.url, f"{path}: {table}.url")
    return host


_SECRETS = {"pins", "token_file", "password_file"}


def _check_address(url: str, where: str) -> None:
    from signing import KeyUnusable, Wire

    try:
        Wire(url)
    except KeyUnusable:
        raise HostInvalid(f"{where}: https only, or http on this machine; a passphrase travels to it") from None
