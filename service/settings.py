"""One frozen settings object, read from TEKEN_* variables; nothing else reads the environment.

A wrong or unknown value refuses to start.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from service.archive_place import Bucket, Folder, place_of
from service.retention_periods import read as read_periods

PROJECT = Path(__file__).resolve().parent.parent
PREFIX = "TEKEN_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsInvalid(Exception):
    """A setting is unknown or has an unusable value; the message names the variable."""


class Settings(BaseModel):
    """Every setting of every process. Paths are absolute after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = PROJECT / "var"
    database_url: str = ""
    redis_url: str = ""
    archive_url: str = ""
    archive_second: str = ""
    archive_credentials: Path | None = None
    data_keys: Path | None = None
    templates: Path = PROJECT / "templates"
    keys: Path = PROJECT / "certs" / "dev"
    trust: Path | None = None
    intermediates: Path | None = None
    crl_url: str = ""
    passphrase_file: Path | None = None
    seal_passphrase_file: Path | None = None
    signer_identity: Path | None = None
    signing_host: Path | None = None
    pinned_signers: str = ""
    web_identity: Path | None = None
    pinned_web: str = ""
    sign_window: Annotated[float, Field(gt=0, le=60)] = 30
    tsa_url: str = ""
    public_url: str = ""
    listen: str = "127.0.0.1:8000"
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    webhook_networks: str = ""
    webhook_hosts: str = ""
    webhook_trust: Path | None = None
    limit_lookups: str = "60/minute;600/hour"
    limit_checks: str = "12/minute;120/hour"
    limit_reports: str = "5/minute;20/day"
    lease_seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    retry_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    poll_seconds: Annotated[float, Field(gt=0, le=60)] = 0.3
    busy_seconds: Annotated[float, Field(gt=0, le=60)] = 5
    checks: Annotated[int, Field(ge=0, le=64)] = 0
    worker_nice: Annotated[int, Field(ge=0, le=19)] = 10
    log: Literal["text", "json"] = "text"
    metrics_networks: str = "127.0.0.0/8,::1/128"
    metrics_token_file: Path | None = None
    notices: Path | None = None
    retention: str = ""
    fail_at: str = ""
    development_login: bool = False

    @field_validator("public_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not value.lower().startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("tsa_url", "crl_url")
    @classmethod
    def _several_http(cls, value: str) -> str:
        return ",".join(cls._http(one.strip()) for one in value.split(",")) if value else value

    @field_validator(
        "home",
        "templates",
        "keys",
        "trust",
        "intermediates",
        "passphrase_file",
        "seal_passphrase_file",
        "signer_identity",
        "web_identity",
        "signing_host",
        "webhook_trust",
        "archive_credentials",
        "notices",
        "data_keys",
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else value

    @field_validator("templates")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        if not value.is_dir():
            raise ValueError("is no folder")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        return _begins(value, "sqlite:///", "postgresql://", "postgresql+psycopg://")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        return _begins(value, "redis://", "rediss://", "unix://")

    @field_validator("archive_url", "archive_second")
    @classmethod
    def _archive_place(cls, value: str) -> str:
        place_of(value, Path())
        return value

    @field_validator("limit_lookups", "limit_checks", "limit_reports")
    @classmethod
    def _limits(cls, value: str) -> str:
        from limits import parse_many

        try:
            sound = not value or all(one.amount > 0 for one in parse_many(value))
        except ValueError:
            sound = False
        if not sound:
            raise ValueError('must be like "60/minute;600/hour", or empty for no limit')
        return value

    @field_validator("metrics_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            _ = [ipaddress.ip_network(one.strip()) for one in value.split(",") if value]
        except ValueError:
            raise ValueError('must be networks like "127.0.0.0/8,10.1.0.0/16", or empty for none') from None
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _reachable(cls, value: str) -> str:
        try:
            _ = [ip_network(one.strip()) for one in value.split(",") if value]
        except ValueError:
            raise ValueError('must be networks like "10.20.0.0/16,fd00:1::/32", or empty for none') from None
        return value

    @field_validator("retention")
    @classmethod
    def _periods(cls, value: str) -> str:
        read_periods(value)
        return value

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("must be HOST:PORT")
        return value

    @model_validator(mode="after")
    def _login_without_password_stays_at_home(self) -> Self:
        """Anybody who reaches such a desk is whoever he likes: it must be reached from this machine alone."""
        hosts = {self.listen.rpartition(":")[0].strip("[]"), urlsplit(self.public_url or "http://127.0.0.1").hostname}
        if self.development_login and not hosts <= LOOPBACK:
            raise ValueError("development_login needs listen and public_url on this machine")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read TEKEN_* variables.

        Raises SettingsInvalid naming the variable.
        """
        variables = os.environ if environment is None else environment
        given = {k.removeprefix(PREFIX).lower(): v for k, v in variables.items() if k.startswith(PREFIX)}
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = PREFIX + str((first["loc"] or ("development_login",))[0]).upper()
            raise SettingsInvalid(f"{name}: {first['msg']}") from None

    @property
    def database(self) -> str:
        """The SQLAlchemy URL; a file in `home` unless set."""
        return self.database_url or f"sqlite:///{self.home / 'teken.db'}"

    @property
    def archive(self) -> Folder | Bucket:
        """Where the documents lie: a folder in `home` unless set."""
        return place_of(self.archive_url, self.home / "archive")

    @property
    def second_archive(self) -> Folder | Bucket | None:
        """Where their second copy lies, if there is to be one."""
        return place_of(self.archive_second, Path()) if self.archive_second else None

    @property
    def data_keys_file(self) -> Path:
        """The keys of what is sealed in database and archive, mode 0600; never on their disk's backup."""
        return self.data_keys or self.home / "data.keys"

    @property
    def trust_file(self) -> Path:
        """The PEM file of the trust anchors."""
        return self.trust or self.keys / "root.pem"

    @property
    def intermediates_file(self) -> Path:
        """The PEM file of issuing certificates between ours and the trust anchors; may be missing."""
        return self.intermediates or self.keys / "issuing.pem"

    @property
    def metrics_from(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Networks that may scrape without a key."""
        return tuple(ipaddress.ip_network(one.strip()) for one in self.metrics_networks.split(",") if one)

    @property
    def tsa_urls(self) -> tuple[str, ...]:
        """Time-stamping authorities, in order of preference."""
        return tuple(filter(None, self.tsa_url.split(",")))

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """Where CRLs lie of CAs whose certificates do not say so."""
        return tuple(filter(None, self.crl_url.split(",")))

    @property
    def passphrase(self) -> Path:
        """Development only: where the signing process reads the passphrase; never in git."""
        return self.passphrase_file or self.keys / "passphrase"

    @property
    def seal_passphrase(self) -> Path:
        """Where the signing process reads the secret of the office's seal; in development the same file."""
        return self.seal_passphrase_file or self.passphrase

    @property
    def identity(self) -> Path:
        """The signing host's long-term key, mode 0600."""
        return self.signer_identity or self.home / "signer-identity.key"

    @property
    def pins(self) -> Path:
        """On one machine: the public keys of signing hosts that the web process believes, written once at first start."""
        return self.home / "pinned-signers"

    @property
    def web_identity_file(self) -> Path:
        """The web host's long-term key, mode 0600: it signs what is handed to signing hosts."""
        return self.web_identity or self.home / "web-identity.key"

    @property
    def web_pins(self) -> Path:
        """On one machine: the public keys of web hosts whose hand-overs signing processes take, written once at first start."""
        return self.home / "pinned-web"


def _begins(value: str, *schemes: str) -> str:
    if value and not value.startswith(schemes):
        raise ValueError(f"must begin with {' or '.join(schemes)}")
    return value
