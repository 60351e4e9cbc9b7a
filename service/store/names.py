"""Finds permits by their holder's name though cases are sealed: keyed hashes of how its words begin, which lead to the cases to open.

Whoever has the database alone sees which permits share a beginning, not which one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Insert,
    Select,
    TableValuedAlias,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    select,
)

from service.store.sealed import vault_of
from service.store.tables import case_names
from service.vault import DataKey

SHORTEST: Final = 3
"""Letters that a searched word needs at least, unless it is a whole word of the name."""
_LENGTHS: Final = (5, SHORTEST)
_KEPT: Final = 16
_MARK: Final = 7
"""Of the key's id, before its hash. Notes of before 0019 have no mark: the oldest key made them."""
GIVEN: Final = "beginnings"
_WORD: Final = re.compile(r"[^\W_]+")


def forget(connection: Connection, permit: str) -> None:
    """Take away what was noted of an earlier revision."""
    connection.execute(delete(case_names).where(case_names.c.permit == permit))


def note(connection: Connection, permit: str, office: str, body: str) -> None:
    """Note under which beginnings the holder of this case is found."""
    found = {"whose": permit, GIVEN: beginnings(connection, office, body)}
    connection.execute(_noting(connection.dialect.name), found)


def beginnings(connection: Connection, office: str, body: str) -> str:
    """Return the hashes of one case as a JSON list, for `each`."""
    return json.dumps([row["begins"] for row in rows(connection, "", office, body)])


def each(engine: str) -> TableValuedAlias:
    """Return the parameter `GIVEN` as rows with a `value`: an insert of several rows would be compiled anew for every number of them."""
    given = bindparam(GIVEN, type_=Text)
    taken = func.json_array_elements_text(cast(given, JSON)) if engine == "postgresql" else func.json_each(given)
    return taken.table_valued("value")


def rows(connection: Connection, permit: str, office: str, body: str) -> list[dict[str, str]]:
    """Return the notes of one case."""
    words = _words(json.loads(body)["applicant"]["nama"])
    beginnings = {word[:length] for word in words for length in _LENGTHS if len(word) >= length}
    beginnings |= {word for word in words if len(word) < SHORTEST}
    newest = list(vault_of(connection).keys().values())[-1]
    return [{"permit": permit, "begins": _hidden(newest, office, one)} for one in sorted(beginnings)]


def candidates(connection: Connection, office: str, searched: str) -> Select[str] | None:
    """Return a query of the permits whose holder's name may hold these words, each from its beginning; None if no name can."""
    words = [_cut(word) for word in _words(searched)]
    if not words:
        return None
    first, *others = [case_names.c.begins.in_(_notes(connection, office, word)) for word in words]
    query = select(case_names.c.permit).where(first)
    for one in others:
        query = query.where(case_names.c.permit.in_(select(case_names.c.permit).where(one)))
    return query


def count(connection: Connection) -> dict[str, int]:
    """Return how many notes there are by the mark of the key that made them (`mark_of`); "" for notes without."""
    mark = case((case_names.c.begins.like("k%"), func.substr(case_names.c.begins, 1, _MARK)), else_="")
    rows = connection.execute(select(mark, func.count()).group_by(mark)).all()
    return {str(found): number for found, number in rows}


def mark_of(key: str) -> str:
    """Return what a key's notes begin with."""
    return key[:_MARK]


def outdated(connection: Connection) -> ColumnElement[bool]:
    """Tell which notes the newest key did not make."""
    return case_names.c.begins.not_like(f"{mark_of(list(vault_of(connection).keys())[-1])}.%")


def holds(name: str, searched: str) -> bool:
    """Tell whether the name has all of these words, each from its beginning."""
    words = _words(name)
    return all(any(word.startswith(one) for word in words) for one in _words(searched))


@cache
def _noting(engine: str) -> Insert:
    found = select(bindparam("whose", type_=Text), each(engine).c.value)
    return insert(case_names).from_select(["permit", "begins"], found)


def _cut(word: str) -> str:
    return next((word[:length] for length in _LENGTHS if len(word) >= length), word)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def _notes(connection: Connection, office: str, beginning: str) -> list[str]:
    """Return every form in which a beginning may be noted."""
    notes = [_hidden(key, office, beginning) for key in vault_of(connection).keys().values()]
    return [*notes, notes[0].rpartition(".")[2]]


def _hidden(key: DataKey, office: str, beginning: str) -> str:
    return f"{mark_of(key.id)}.{key.hidden('case_names', office, beginning)[:_KEPT]}"
