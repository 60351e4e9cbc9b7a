"""Finds permits by their holder's name though cases are sealed: keyed hashes of how its words begin, which lead to the cases to open.

Whoever has the database alone sees which permits share a beginning, not which one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import Final

from sqlalchemy import JSON, Connection, Insert, Select, Text, bindparam, cast, delete, func, insert, select

from service.store.sealed import vault_of
from service.store.tables import case_names

SHORTEST: Final = 3
"""Letters that a searched word needs at least, unless it is a whole word of the name."""
_LENGTHS: Final = (5, SHORTEST)
_KEPT: Final = 16
_WORD: Final = re.compile(r"[^\W_]+")


def forget(connection: Connection, permit: str) -> None:
    """Take away what was noted of an earlier revision."""
    connection.execute(delete(case_names).where(case_names.c.permit == permit))


def note(connection: Connection, permit: str, office: str, body: str) -> None:
    """Note under which beginnings the holder of this case is found."""
    found = json.dumps([row["begins"] for row in rows(connection, permit, office, body)])
    connection.execute(_noting(connection.dialect.name), {"whose": permit, "beginnings": found})


def rows(connection: Connection, permit: str, office: str, body: str) -> list[dict[str, str]]:
    """Return the notes of one case."""
    words = _words(json.loads(body)["applicant"]["nama"])
    beginnings = {word[:length] for word in words for length in _LENGTHS if len(word) >= length}
    beginnings |= {word for word in words if len(word) < SHORTEST}
    return [{"permit": permit, "begins": _hidden(connection, office, one)} for one in sorted(beginnings)]


def candidates(connection: Connection, office: str, searched: str) -> Select[str] | None:
    """Return a query of the permits whose holder's name may hold these words, each from its beginning; None if no name can."""
    words = [_cut(word) for word in _words(searched)]
    if not words:
        return None
    hashes = [_hidden(connection, office, word) for word in words]
    query = select(case_names.c.permit).where(case_names.c.begins == hashes[0])
    for one in hashes[1:]:
        query = query.where(case_names.c.permit.in_(select(case_names.c.permit).where(case_names.c.begins == one)))
    return query


def holds(name: str, searched: str) -> bool:
    """Tell whether the name has all of these words, each from its beginning."""
    words = _words(name)
    return all(any(word.startswith(one) for word in words) for one in _words(searched))


@cache
def _noting(engine: str) -> Insert:
    """Return one statement for however many there are: an insert of several rows would be compiled anew for every number of them."""
    given = bindparam("beginnings", type_=Text)
    each = func.json_array_elements_text(cast(given, JSON)) if engine == "postgresql" else func.json_each(given)
    found = select(bindparam("whose", type_=Text), each.table_valued("value").c.value)
    return insert(case_names).from_select([case_names.c.permit, case_names.c.begins], found)


def _cut(word: str) -> str:
    return next((word[:length] for length in _LENGTHS if len(word) >= length), word)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def _hidden(connection: Connection, office: str, beginning: str) -> str:
    return vault_of(connection).hidden("case_names", office, beginning)[:_KEPT]
