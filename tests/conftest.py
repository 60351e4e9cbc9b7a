"""Shared by all tests. Servers listen on loopback and are the real ones."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import event, make_url
from werkzeug.routing import Rule

from service import wiring
from service.development import certificates
from service.settings import PROJECT
from service.store import Database
from service.store.migrate import migrate
from signing import isolation
from tests.support.servers import database, postgres, postgres_server, redis_server  # noqa: F401 - fixtures

FOUND = pytest.StashKey[dict[str, str]]()

# How fast examples are made is the machine's business: a busy one must not fail a property that holds.
# CI judges a change: it makes the same examples each time; new ones are sought where somebody can follow them up.
settings.register_profile(
    "any machine", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def _patient_cage():
    """A child has a low priority: beside other workers of a run, a second of its takes twenty of the clock's."""
    patch = pytest.MonkeyPatch()
    patch.setattr(isolation, "_STARTING", 120.0)
    yield
    patch.undo()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("heavy") and "sqlite" in item.name:
            item.add_marker(pytest.mark.thorough)


RUNS_OWN = {"PYTEST_CURRENT_TEST", "SOFTHSM2_CONF"}
"""What may change while tests go on; SoftHSM2 reads where its tokens are once in the life of a process, so one folder serves the whole run."""


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in RUNS_OWN} | {"cwd": str(Path.cwd())}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """What one test leaves in its process's environment decides how later ones end, and which are later is chance."""
    item.stash[FOUND] = _surroundings()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    yield
    assert _surroundings() == item.stash[FOUND], "this test changed the environment of those that follow it"


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Path:
    """Keys and certificates of every office, made once per run."""
    folder = tmp_path_factory.mktemp("keys")
    certificates(PROJECT / "templates", folder, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    return folder


class CompiledTemplates(BytecodeCache):
    """Every web application of a run finds the templates that an earlier one has compiled."""

    def __init__(self) -> None:
        self.compiled: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key, bucket.checksum] = bucket.code


def once_a_rule(compiled: Any) -> Any:
    """Werkzeug writes and compiles a function for every route of every web application; the same route has the same one."""
    known: dict[Any, Any] = {}

    def builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compiled(rule, append_unknown)
        asked = (rule.rule, tuple(rule._trace), append_unknown)
        if asked not in known:
            known[asked] = compiled(rule, append_unknown)
        return known[asked]

    return builder


@pytest.fixture(scope="session", autouse=True)
def quick_homes(tmp_path_factory):
    """A new SQLite home begins with a copy of a migrated database; the migrations themselves are tested in tests/store.

    What this process writes is not forced to the disk: tests kill processes, they do not pull the plug. Processes that a test starts do.
    """
    folder = tmp_path_factory.mktemp("migrated")
    first = Database(f"sqlite:///{folder / 'teken.db'}")
    migrate(first)
    first.dispose()
    begun = (folder / "teken.db").read_bytes()

    def begin(url: str, **settings) -> Database:
        path = Path(make_url(url).database or "")
        if url.startswith("sqlite") and not path.exists():
            copy = path.with_name(f"{path.name}.{os.getpid()}.{uuid4().hex}")
            copy.write_bytes(begun)
            with suppress(FileExistsError):
                os.link(copy, path)
            copy.unlink()
        made = Database(url, **settings)
        if made.dialect == "sqlite":
            event.listen(made.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF").close())
        return made

    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", lambda _: None)
    patch.setattr(wiring, "Database", begin)
    patch.setattr(Rule, "_compile_builder", once_a_rule(Rule._compile_builder))
    patch.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
    yield
    patch.undo()
