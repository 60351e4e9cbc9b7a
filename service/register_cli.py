"""`teken register`: after a database was put back, what is lost, what is entered again, and the opening of numbering."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.reconcile import Plan, Told
    from service.wiring import Teken

LEFT = 1
_WHY = {
    "several": "beberapa dokumen untuk satu kode; putuskan dengan kejadian dari sistem hulu (--events)",
    "order_unknown": "beberapa dokumen dengan satu nomor, tidak tahu mana yang dibetulkan; putuskan dengan kejadian (--events)",
    "number_taken": "nomornya sudah tercatat sebagai lubang",
    "number_strange": "nomornya tidak menurut pola seri kantor",
}


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the commands; `opened` gives the Teken to work with."""
    parser = commands.add_parser("register", help="after a restore: status, reconcile, void, open")
    register = parser.add_subparsers(required=True)
    status = register.add_parser("status", help="whether numbering is closed, why, and what is left to do")
    status.set_defaults(run=lambda _: _status(opened()))
    reconcile = register.add_parser("reconcile", help="find what the database lost, and enter it again")
    reconcile.add_argument("--dry-run", action="store_true", help="only say what would be entered")
    reconcile.add_argument(
        "--leave-doubtful",
        action="store_true",
        help="enter the rest although documents contradict one another: their numbers become holes, for good",
    )
    _traces(reconcile)
    reconcile.set_defaults(run=lambda chosen: _reconcile(opened(), chosen))
    void = register.add_parser("void", help="void a number of which nothing is found")
    void.add_argument("number")
    void.set_defaults(run=lambda chosen: _void(opened(), chosen))
    opening = register.add_parser("open", help="open numbering again, once nothing is left")
    _traces(opening)
    opening.set_defaults(run=lambda chosen: _open(opened(), chosen))
    for one in (void, opening):
        one.add_argument("--by", required=True, metavar="OFFICE/CODE", help="the official who answers for it")
        one.add_argument("--reason", required=True)


def _traces(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=Path, action="append", default=[], help="delivered events, as JSON lines")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint or mark that was kept"
    )


def _told(teken: Teken, chosen: argparse.Namespace) -> Told:
    from service import reconcile

    return reconcile.read(teken, tuple(chosen.events), tuple(chosen.checkpoint))


def _status(teken: Teken) -> int:
    from service import gate, register

    with teken.db.read() as connection:
        closed, holes = gate.closure(connection), register.holes(connection)
    if closed is None:
        sys.stdout.write("penomoran terbuka\n")
        return 0
    sys.stdout.write(f"penomoran ditutup sejak {closed.closed_at} ({closed.cause}): {closed.told}\n")
    for hole in holes:
        sys.stdout.write(f"belum dibatalkan: {hole.number}\n")
    return LEFT


def _reconcile(teken: Teken, chosen: argparse.Namespace) -> int:
    """Exit code 0: all is entered and nothing is left for a person; 1: look at what is listed."""
    from service import reconcile, register

    told = _told(teken, chosen)
    found = reconcile.plan(teken, told)
    if chosen.dry_run:
        for one in found.lost:
            sys.stdout.write(f"hilang: {one.paper.number} {one.paper.code} {one.paper.office} {one.paper.sha}\n")
    elif found.undecided and not chosen.leave_doubtful:
        sys.stdout.write("tidak ada yang dimasukkan: ada dokumen yang bertentangan; --events, atau --leave-doubtful\n")
    else:
        for entered in reconcile.enter(teken, found, told):
            permit = f"{entered.permit} {entered.upstream_id}"
            sys.stdout.write(
                f"dimasukkan: {entered.number} {entered.code} {entered.office} {permit} {entered.sha256}\n"
            )
    _list(found)
    with teken.db.read() as connection:
        holes = register.holes(connection)
    for hole in holes:
        sys.stdout.write(f"belum dibatalkan: {hole.number}\n")
    waits = chosen.dry_run or (found.undecided and not chosen.leave_doubtful)
    left = holes or found.doubtful or found.claimed or (waits and not found.nothing)
    return LEFT if left else 0


def _list(found: Plan) -> None:
    for hole in found.holes:
        sys.stdout.write(f"lubang: {hole.found.number} ({hole.found.series} nomor {hole.found.no})\n")
    for decision in found.decisions:
        sys.stdout.write(f"diulangi: {decision.type} {decision.permit}\n")
    for decision in found.claimed:
        sys.stdout.write(f"putuskan di meja: {decision.type} {decision.permit}\n")
    for upstream_id in found.unposted:
        sys.stdout.write(f"harus dikirim ulang oleh sistem hulu: {upstream_id}\n")
    for why, sha in found.doubtful:
        sys.stdout.write(f"periksa: {sha} ({_WHY[why]})\n")


def _void(teken: Teken, chosen: argparse.Namespace) -> int:
    from service.reopening import void_hole

    sys.stdout.write(f"dibatalkan: {void_hole(teken, chosen.number, by=chosen.by, reason=chosen.reason)}\n")
    return 0


def _open(teken: Teken, chosen: argparse.Namespace) -> int:
    from service.reopening import open_register

    woken = open_register(teken, by=chosen.by, reason=chosen.reason, told=_told(teken, chosen))
    sys.stdout.write(f"penomoran dibuka; {woken} permohonan melanjutkan\n")
    return 0
