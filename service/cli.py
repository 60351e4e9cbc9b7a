"""The `teken` command: a thin face over the use cases. Every command says what to do when it fails."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("RAYON_NUM_THREADS", "1")

FAULT, MISUSE = 1, 2
UNDETERMINED = 2  # of `verify`: nothing is known of the file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    from service.archive import ArchiveDamaged
    from service.errors import TekenError
    from service.host import HostInvalid
    from service.logs import log_to_stderr
    from service.settings import SettingsInvalid
    from service.sop import OfficeInvalid
    from service.store import StoreBusy

    log_to_stderr()
    try:
        return int(chosen.run(chosen) or 0)
    except (SettingsInvalid, HostInvalid) as error:
        print(f"teken: {error}", file=sys.stderr)
        return MISUSE
    except OfficeInvalid as error:
        print(*error.faults, sep="\n", file=sys.stderr)
    except TekenError as error:
        print(f"teken: {_words(error)}", file=sys.stderr)
    except ArchiveDamaged as error:
        print(f"teken: berkas di arsip hilang atau rusak ({error}); jalankan `teken audit`", file=sys.stderr)
    except OSError as error:
        print(f"teken: {error.filename} tidak dapat dibaca atau ditulis; periksa nama dan haknya", file=sys.stderr)
        return MISUSE
    except StoreBusy:
        print("teken: basis data sedang sibuk atau tidak terjangkau; coba lagi sebentar lagi", file=sys.stderr)
        return UNDETERMINED if chosen.run is _verify else FAULT
    return FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="teken", description="Government permits that anyone can trust.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    office = commands.add_parser("office", help="office data").add_subparsers(required=True)
    check = office.add_parser("check", help="check a tree of offices, naming file, table and key of every fault")
    check.add_argument("path", nargs="?", type=Path)
    check.set_defaults(run=_office_check)

    certs = commands.add_parser("certs", help="make the development PKI")
    certs.set_defaults(run=_certs)

    run = commands.add_parser("run", help="web, worker and signing process on this machine")
    run.set_defaults(run=_run)

    demo = commands.add_parser("demo", help="play all five procedures to the end")
    demo.add_argument("--once", action="store_true", help="exit at the end instead of serving on")
    demo.add_argument("--json", action="store_true", help="print one JSON object")
    demo.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (8000 if free, otherwise any)")
    demo.set_defaults(run=_demo)

    waiting = commands.add_parser("waiting", help="what waits for whom in an office")
    waiting.add_argument("office")
    waiting.set_defaults(run=_waiting)

    preview = commands.add_parser("preview", help="write the paper that is to be read, and print its SHA-256")
    preview.add_argument("permit")
    preview.add_argument("file", type=Path)
    preview.set_defaults(run=_preview)

    _act_parser(commands)
    year_end = commands.add_parser(
        "year-end", help="numbered in an earlier year and unsigned: list, or settle by policy"
    )
    year_end.add_argument("office")
    year_end.add_argument("--settle", action="store_true", help="keep or void, as the office's policy says")
    year_end.set_defaults(run=_year_end)

    repin = commands.add_parser("re-pin", help="typeset a case by the office's files of today; voids what was read")
    repin.add_argument("permit")
    repin.set_defaults(run=_repin)

    resume = commands.add_parser("resume", help="send a parked permit back to the step at which it stuck")
    resume.add_argument("permit")
    resume.set_defaults(run=_resume)

    verify = commands.add_parser("verify", help="is this file authentic, is its permit in force?")
    verify.add_argument("file", type=Path)
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(run=_verify)

    audit = commands.add_parser("audit", help="re-walk every series, event and document")
    audit.add_argument("--checkpoint", type=Path, help="a signed checkpoint that left this machine earlier")
    audit.add_argument("--json", action="store_true")
    audit.set_defaults(run=_audit)

    _simulate_parser(commands)
    commands.add_parser("checkpoint", help="print the newest signed checkpoint").set_defaults(run=_checkpoint)
    return parser


def _simulate_parser(commands: Any) -> None:
    simulate = commands.add_parser("simulate", help="stand-ins for services out of reach").add_subparsers(required=True)
    bsre = simulate.add_parser("bsre", help="BSrE's Esign Client Service v2, with its reported quirks")
    bsre.add_argument("--port", type=int, default=9700)
    bsre.add_argument(
        "--quirk", action="append", default=[], metavar="NAME[=NUMBER]", help="see its page for the names"
    )
    bsre.set_defaults(run=_simulate_bsre)


def _act_parser(commands: Any) -> None:
    act = commands.add_parser(
        "act", help="do a person's act: verify paraf approve return sign print deliver survey handover receive ..."
    )
    act.add_argument("verb", choices=[*_ACTS])
    act.add_argument("permit")
    act.add_argument("--as", dest="official", required=True, help="official, as office/code")
    act.add_argument("--seen", help="SHA-256 of the paper that was read (see preview); default: the paper as it is now")
    act.add_argument("--reason", default="")
    act.add_argument("--decision", default="", help="number of the head's decision")
    act.add_argument("--identity", default="ktp", choices=["ktp", "surat_kuasa"])
    act.add_argument("--ticket", default="")
    act.add_argument("--answers", default="", help="SKM: nine digits from 1 to 4, U1 to U9")
    act.set_defaults(run=_act)

    from service import (
        archive_cli,
        backup_cli,
        batch_cli,
        client_cli,
        data_key_cli,
        doctor_cli,
        qr_cli,
        register_cli,
        renewal_cli,
        retention_cli,
    )
    from service.desk import command as desk_accounts
    from service.notices import command as notices
    from service.webhooks import command as webhooks

    batch_cli.add_parser(commands, _teken)
    renewal_cli.add_parser(commands, _teken)
    qr_cli.add_parser(commands, _teken)
    doctor_cli.add_parser(commands)
    archive_cli.add_parser(commands, _teken)
    client_cli.add_parser(commands, _teken, _teken_of)
    retention_cli.add_parser(commands, _teken)
    data_key_cli.add_parser(commands, _teken)
    webhooks.add_parser(commands, _teken)
    backup_cli.add_parser(commands, _teken)
    register_cli.add_parser(commands, _teken)
    notices.add_parser(commands, _teken, _teken_of)
    desk_accounts.add_parser(commands, _teken)


def _teken(**more: Any) -> Any:
    from service.settings import Settings
    from service.wiring import open_teken

    return open_teken(Settings.from_environment(), **more)


def _teken_of(office: str) -> Any:
    """Open Teken for a command about one office.

    Raises NotFound("office_unknown").
    """
    from service.errors import NotFound

    teken = _teken()
    if office not in teken.offices.offices:
        raise NotFound("office_unknown", known=", ".join(sorted(teken.offices.offices)))
    return teken


def _office_check(chosen: argparse.Namespace) -> int:
    from service.document.check import template_check
    from service.settings import Settings
    from service.sop import check

    root = chosen.path or Settings.from_environment().templates
    if not any(root.glob("*/office.toml")):
        print(f"{root}: tidak ada instansi di sini (folder dengan office.toml)")
        return FAULT
    faults = check(root, template_check=template_check)
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{root.name}: semua instansi dan jenis izin lengkap dan benar")
    return FAULT if faults else 0


def _certs(_: argparse.Namespace) -> None:
    from service.development import certificates
    from service.settings import Settings

    settings = Settings.from_environment()
    certificates(settings.templates, settings.keys)
    print(f"PKI pengembangan ada di {settings.keys}")


def _run(_: argparse.Namespace) -> int:
    from service.development import run
    from service.settings import Settings

    return run(Settings.from_environment())


def _demo(chosen: argparse.Namespace) -> int:
    from service.demo import demo

    return demo(once=chosen.once, as_json=chosen.json, port=chosen.port)


def _waiting(chosen: argparse.Namespace) -> None:
    from service.queries import waiting

    for item in waiting(_teken_of(chosen.office), chosen.office):
        print(json.dumps(item, ensure_ascii=False))


def _preview(chosen: argparse.Namespace) -> int:
    from service.queries import preview

    pdf, sha = preview(_teken(), chosen.permit)
    if pdf is None:
        print("teken: naskah belum dibuat; tunggu petugas pengolah (worker)", file=sys.stderr)
        return FAULT
    chosen.file.write_bytes(pdf)
    print(sha)
    return 0


def _act(chosen: argparse.Namespace) -> None:
    teken = _teken()
    print(json.dumps(_ACTS[chosen.verb](teken, chosen), ensure_ascii=False))


def _seen(teken: Any, chosen: argparse.Namespace) -> str | None:
    from service.queries import preview

    return chosen.seen or preview(teken, chosen.permit)[1]


def _read(teken: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from service import acts
    from service.sop.model import Verb

    return acts.read(teken, chosen.official, chosen.permit, Verb(chosen.verb), seen_sha=_seen(teken, chosen))


def _use(name: str, *words: str) -> Any:
    def act(teken: Any, chosen: argparse.Namespace) -> dict[str, Any]:
        from service import acts

        given = {word: getattr(chosen, word) for word in words}
        return dict(getattr(acts, name)(teken, chosen.official, chosen.permit, **given))

    return act


def _sign(teken: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from service import acts

    return acts.order_signature(teken, chosen.official, chosen.permit, seen_sha=_seen(teken, chosen))


def _survey(teken: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from service import skm, surveys

    answers = {
        element: int(digit) for element, digit in zip(skm.ELEMENTS, chosen.answers, strict=False) if digit.isdigit()
    }
    return surveys.take(teken, chosen.official, chosen.permit, answers=answers)


def _decide(to: str) -> Any:
    def act(teken: Any, chosen: argparse.Namespace) -> dict[str, Any]:
        from service import acts
        from service.permits import State

        return acts.decide(
            teken, chosen.official, chosen.permit, to=State(to), decision=chosen.decision, reason=chosen.reason
        )

    return act


_ACTS: dict[str, Any] = {
    "verify": _read,
    "paraf": _read,
    "approve": _read,
    "return": _use("give_back", "reason"),
    "sign": _sign,
    "print": _use("print_paper"),
    "deliver": _use("deliver"),
    "survey": _survey,
    "handover": _use("hand_over", "identity", "ticket"),
    "receive": _use("receive"),
    "suspend": _decide("suspended"),
    "reinstate": _decide("in_force"),
    "revoke": _decide("revoked"),
}


def _resume(chosen: argparse.Namespace) -> None:
    from service.acts import resume_parked

    print(json.dumps(resume_parked(_teken(), chosen.permit), ensure_ascii=False))


def _year_end(chosen: argparse.Namespace) -> None:
    from service.year_end import left_over, settle_year

    for item in (settle_year if chosen.settle else left_over)(_teken_of(chosen.office), chosen.office):
        print(json.dumps(item, ensure_ascii=False))


def _repin(chosen: argparse.Namespace) -> None:
    from service.corrections import repin

    print(json.dumps(repin(_teken(), chosen.permit), ensure_ascii=False))


def _verify(chosen: argparse.Namespace) -> int:
    from service.verification import verify_file_command

    return verify_file_command(_teken(), chosen.file, as_json=chosen.json)


def _audit(chosen: argparse.Namespace) -> int:
    from service.audit import audit

    note = chosen.checkpoint.read_text(errors="replace") if chosen.checkpoint else None
    findings = audit(_teken(), checkpoint=note)
    if chosen.json:
        print(
            json.dumps(
                {"violations": [f.as_dict() for f in findings.violations], "walked": findings.walked},
                ensure_ascii=False,
            )
        )
    else:
        for violation in findings.violations:
            print(f"{violation.invariant} {violation.where}: {violation.what}")
        print(", ".join(f"{count} {what}" for what, count in findings.walked.items()))
    return FAULT if findings.violations else 0


def _simulate_bsre(chosen: argparse.Namespace) -> int:
    from service.settings import Settings
    from service.simulate.bsre import serve

    folder = Settings.from_environment().home / "simulate-bsre"
    return serve(folder, chosen.port, chosen.quirk, ready=lambda url: print(f"Simulator BSrE: {url}", flush=True))


def _checkpoint(_: argparse.Namespace) -> None:
    from service.journal import newest_checkpoint

    with _teken().db.read() as connection:
        print(newest_checkpoint(connection), end="")


def _words(error: Any) -> str:
    from service.problems import fault, problem

    said = problem(error.code, error.params)
    places = [f"  {one.pointer}: {fault(one.code, one.params)}" for one in error.faults]
    return "\n".join([f"{said.title}. {said.advice}", *places])


if __name__ == "__main__":
    sys.exit(main())
