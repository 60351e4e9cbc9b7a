"""Cases for the desk's tests: posted, brought to the act that a test is about, copied by the hundred."""

from __future__ import annotations

import json

from sqlalchemy import insert, select

from service.canonical import dumps
from service.sop.model import Verb
from service.store.desk_tables import desk_log
from service.store.tables import acts, permits, revisions
from tests.support.office import client_of, payload, post, row, take_turn, work

ROHUL = ("rokan-hulu", "surat-izin-perekam-medik")
MALANG = ("malang", "sik-perekam-medis")
KUDUS = ("kudus", "sip-perekam-medis")
ROHIL = ("rokan-hilir", "sip-perekam-medis")


class Upstream:
    """The system that posts an office's cases."""

    def __init__(self, teken, kind):
        self.teken, self.kind, self.client = teken, kind, client_of(teken, kind[0])

    def send(self, number: int = 1, **changes) -> str:
        """Post a case, or its correction, and let the worker do its part."""
        permit = post(self.teken, self.client, payload(*self.kind, f"HULU-{number:04}", **changes)).body["id"]
        work(self.teken)
        return permit


def until(teken, permit: str, verb: Verb, role: str | None = None) -> str:
    """Let people act until this act is due."""
    while True:
        work(teken)
        act = teken.pins.open(row(teken, permit).pin).permit_type.procedure.plan[row(teken, permit).position]
        if act.verb is verb and role in {None, act.role}:
            return permit
        assert take_turn(teken, permit), "nobody's turn"


def copies(teken, permit: str, many: int, after: int = 0) -> list[str]:
    """Copy a permit's rows: as many waiting cases as a large office has, in no time. `after`: so many copies are there already."""
    with teken.db.write() as connection:
        model = dict(connection.execute(select(permits).where(permits.c.id == permit)).one()._mapping)
        case = dict(connection.execute(select(revisions).where(revisions.c.permit == permit)).one()._mapping)
        done = [dict(one._mapping) for one in connection.execute(select(acts).where(acts.c.permit == permit)).all()]
        for one in done:
            del one["id"]
        ids = [f"izn_{number:020x}" for number in range(after + 1, after + many + 1)]
        own = {"upstream_id": "SALIN-{}", "code": "SALIN{:011}"}
        connection.execute(
            insert(permits),
            [{**model, "id": each, **{k: v.format(n) for k, v in own.items()}} for n, each in enumerate(ids, after)],
        )
        connection.execute(insert(revisions), [{**case, "permit": each} for each in ids])
        if done:
            connection.execute(insert(acts), [{**one, "permit": each} for each in ids for one in done])
    return ids


def recorded(teken, permit: str) -> list[tuple]:
    """Every act of people on a permit that counts: verb, official, bytes seen."""
    mine = (acts.c.permit == permit) & acts.c.official.is_not(None) & acts.c.voided_at.is_(None)
    with teken.db.read() as connection:
        found = connection.execute(select(acts.c.verb, acts.c.official, acts.c.document_sha).where(mine)).all()
    return [tuple(one) for one in found]


def logged(teken, permit: str) -> list[tuple[str, str]]:
    """Action and outcome of every line of the desk's log on a permit."""
    with teken.db.read() as connection:
        query = select(desk_log.c.action, desk_log.c.outcome).where(desk_log.c.permit == permit)
        return [tuple(one) for one in connection.execute(query.order_by(desk_log.c.id)).all()]


def rename(teken, permit: str, name: str) -> None:
    """Give a copied case another holder. Revisions are append-only, so it becomes a new one."""
    with teken.db.write() as connection:
        case = dict(connection.execute(select(revisions).where(revisions.c.permit == permit)).one()._mapping)
        body = json.loads(case["body"])
        body["applicant"]["nama"] = name
        connection.execute(insert(revisions).values(**{**case, "revision": 2, "body": dumps(body)}))
        connection.execute(permits.update().where(permits.c.id == permit).values(revision=2))
