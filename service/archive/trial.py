"""What a store must refuse, tried on small objects of our own: servers that call themselves S3 differ in exactly this."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from service.archive.names import sha256
from service.archive_place import Bucket

PROBE: Final = "probe/"
REFUSED, ALLOWED, MISSING, NOT_ASKED = "refused", "allowed", "missing", "not_asked"
"""How a store answered. `missing`: it has no lock to try. `not_asked`: the place asks for none."""
_KEPT = timedelta(days=1)
_CLIENT_FAULT: Final = range(400, 500)


def tried(client: Any, place: Bucket, now: datetime) -> Mapping[str, str]:
    """Try `overwrite`, `checksum` and `delete`; probes whose lock has ended are removed.

    Raises what boto3 raises when the store does not answer, or does not take a probe at all.
    """
    _tidy(client, place, now)
    own = {"Bucket": place.bucket, "Key": f"{place.prefix}{PROBE}{secrets.token_hex(8)}"}
    other = {"Bucket": place.bucket, "Key": f"{own['Key']}-2"}
    first, second = b"teken probe 1\n", b"teken probe 2\n"
    version = _put(client, own, first).get("VersionId")
    return {
        "overwrite": _unless(lambda: _put(client, own, second)),
        "checksum": _unless(lambda: _put(client, other, first, claimed=second)),
        "delete": _delete(client, place, own, version, now),
    }


def _put(client: Any, where: Mapping[str, str], data: bytes, *, claimed: bytes | None = None) -> Any:
    checksum = base64.b64encode(bytes.fromhex(sha256(data if claimed is None else claimed))).decode()
    return client.put_object(**where, Body=data, ChecksumSHA256=checksum, IfNoneMatch="*")


def _delete(client: Any, place: Bucket, own: Mapping[str, str], version: str | None, now: datetime) -> str:
    """Lock the probe for a day, and try to remove that very version: a marker above it would only hide it."""
    if place.lock == "none":
        return NOT_ASKED
    lock = {"Mode": place.lock.upper(), "RetainUntilDate": now + _KEPT}
    if _unless(lambda: client.put_object_retention(**own, Retention=lock)) == REFUSED:
        return MISSING
    named = {"VersionId": version} if version else {}
    return _unless(lambda: client.delete_object(**own, **named))


def _unless(act: Callable[[], object]) -> str:
    """Tell whether the store refused; that it is unwell is no refusal."""
    try:
        act()
    except ClientError as error:
        if error.response["ResponseMetadata"].get("HTTPStatusCode") in _CLIENT_FAULT:
            return REFUSED
        raise
    return ALLOWED


def _tidy(client: Any, place: Bucket, now: datetime) -> None:
    with suppress(ClientError):
        page = client.list_object_versions(Bucket=place.bucket, Prefix=f"{place.prefix}{PROBE}", MaxKeys=500)
        for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if one["LastModified"] < now - 2 * _KEPT:
                with suppress(ClientError):
                    client.delete_object(Bucket=place.bucket, Key=one["Key"], VersionId=one["VersionId"])
