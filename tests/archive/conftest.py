"""One server for the module's run; each test has a prefix of its own."""

from __future__ import annotations

import secrets

import pytest

from tests.archive.stores import Store, Wire, moto


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """The S3 server that comes from PyPI."""
    with moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture
def prefix() -> str:
    return f"uji/{secrets.token_hex(4)}"


@pytest.fixture
def wire(store: Store):
    """A wire to the server that can be spoiled."""
    one = Wire(store.port)
    yield one
    one.close()


def spoil_object(archive, name: str, data: bytes | None) -> None:
    """What somebody with the store's keys can do: write anew without a condition, or put a mark of deletion above."""
    raw, where = archive._opened(), {"Bucket": archive.place.bucket, "Key": archive._key(name)}
    raw.delete_object(**where) if data is None else raw.put_object(**where, Body=data)
