"""Opens a client to an S3-compatible store: keys from a file or the environment alone, and every wait has an end."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import Any, Final

from service.archive.errors import ArchiveUnreachable
from service.archive_place import Bucket

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 10
ATTEMPTS: Final = 3
_OTHERS: Final = 0o077


def client(place: Bucket, credentials: Path | None) -> Any:
    """Return boto3's client.

    Raises ArchiveUnreachable("archive_refused") when there are no keys, or others may read their file.
    """
    import boto3
    import botocore.session
    from botocore.config import Config

    own = botocore.session.Session()
    chain = own.get_component("credential_provider")
    chain.providers = [
        one for one in chain.providers if one.METHOD == "env"
    ]  # no home folder, no machine's metadata service
    if credentials is not None:
        own.set_credentials(*_keys(credentials, place.profile))
    if own.get_credentials() is None:
        raise ArchiveUnreachable("archive_refused")
    limits = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        s3={"addressing_style": "path" if place.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",  # the name is the checksum: what is read is hashed in any case
        signature_version="s3v4",
        max_pool_connections=32,
    )
    opened = boto3.Session(botocore_session=own, region_name=place.region)
    return opened.client("s3", endpoint_url=place.endpoint or None, config=limits)


def _keys(path: Path, profile: str) -> tuple[str, str, str | None]:
    """Read one section of a file as other S3 tools write it (`aws_access_key_id`, `aws_secret_access_key`, `aws_session_token`)."""
    read = configparser.RawConfigParser()
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise ArchiveUnreachable("archive_refused")
            read.read_file(file)
        section = read[profile]
        return section["aws_access_key_id"], section["aws_secret_access_key"], section.get("aws_session_token")
    except (OSError, KeyError, configparser.Error, UnicodeDecodeError):
        raise ArchiveUnreachable("archive_refused") from None
