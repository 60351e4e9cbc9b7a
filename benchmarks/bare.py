"""What Teken's web answers are compared with: Flask and SQLAlchemy as their documentations show them, and nothing else.

`POST /things` inserts the JSON that came as one row; `GET /things/<code>` reads one row and answers it as JSON. The same gunicorn
settings, the same engine with the same durability, no validation, no events, no page.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from typing import Any

from flask import Flask, abort, jsonify, request
from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, create_engine, event, insert, make_url, select

DATABASE = "BARE_DATABASE_URL"
metadata = MetaData()
things = Table("things", metadata, Column("code", Text, primary_key=True), Column("body", Text, nullable=False))


def engine_of(url: str) -> Engine:
    """Open PostgreSQL as it is, SQLite in WAL mode with every commit on the disk."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=8, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 5}, pool_size=8)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")

    return engine


def fill(engine: Engine, codes: list[str], body: dict[str, Any]) -> None:
    """Make the table, with one row for each code."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(things), [{"code": code, "body": json.dumps(body)} for code in codes])


def from_environment() -> Flask:
    """Return the application for a WSGI server."""
    engine = engine_of(os.environ[DATABASE])
    app = Flask("bare")

    @app.get("/healthz")
    def _well() -> Any:
        return jsonify(status="ok")

    @app.post("/things")
    def _insert() -> tuple[Any, int]:
        code = secrets.token_hex(8)
        with engine.begin() as connection:
            connection.execute(insert(things).values(code=code, body=json.dumps(request.get_json())))
        return jsonify(code=code), 202

    @app.get("/things/<code>")
    def _read(code: str) -> Any:
        with engine.connect().execution_options(reads=True) as connection:
            row = connection.execute(select(things).where(things.c.code == code)).first()
        return jsonify(code=row.code, **json.loads(row.body)) if row else abort(404)

    return app
