"""The variant `number_at_sign` (ADR 0032): the number comes with the head's order, under his signature; the SOP's row records it."""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest
from sqlalchemy import select, update

from service import acts, batch, corrections, failpoints, pipeline
from service.audit import audit
from service.clock import SetClock
from service.errors import Conflict, StateForbids, TekenError
from service.permits import State
from service.steps import fitness, paper
from service.steps.proving import expectation
from service.store.batch_tables import Result
from service.store.tables import documents, officials, permits, register
from service.verification.evidence import shapes
from service.verification.file import trust, verify_file
from service.year_end import settle_year
from signing import ProofFailed, SigningFailed, fill, inspect, prove
from signing.filling import PlainUpdate, field_references, generic
from tests.faults.oracle import Evidence, judge
from tests.procedures.stories import (
    client_of,
    done,
    edit,
    filled,
    issued,
    open_tree,
    seen_by_poppler,
    seen_codes,
    told,
    told_data,
    tree_of,
)
from tests.support.office import NOW, holder, payload, play, post, row, take_turn, work

sign_step = importlib.import_module("service.steps.sign")  # the package's own name is the step
MALANG = ("malang", "sik-perekam-medis")
KUDUS = ("kudus", "sip-perekam-medis")
KIND = dict([MALANG, KUDUS])
LATER = ("nomor_register", "tanggal_terbit", "berlaku_sampai")
CASES = {"malang": (MALANG, True), "kudus": (KUDUS, True), "kudus-unsealed": (KUDUS, False)}


def variant(folder, office, *, sealed=True, year_end=None):
    """The project's own office with the choice made; Kudus also without the seal that was there for the number's sake."""
    root = tree_of(folder, office)
    edit(root / office / "office.toml", "[roles.pemohon]", "[signing]\nnumber_at_sign = true\n\n[roles.pemohon]")
    if year_end is not None:
        words = (root / office / "office.toml").read_text()
        (root / office / "office.toml").write_text(f'year_end = "{year_end}"\n' + words.replace('year_end = "', '# "'))
    if not sealed:
        kind = root / office / KIND[office]
        edit(kind / "sop.toml", 'acts = ["number", "seal"]\n', "")
        edit(kind / "permit.typ", "beside(photo(), seal()), signature(head-frame())", "photo(), signature(head-qr())")
    return root


class House:
    """One office with the choice made, its client, a clock, and short ways to order and to look."""

    def __init__(self, folder, keys, office, *, sealed=True, at=NOW, year_end=None, **settings):
        self.home, self.office, self.clock = folder / "home", office, SetClock(at)
        self.templates = variant(folder, office, sealed=sealed, year_end=year_end)
        self.teken = open_tree(self.home, self.templates, keys, self.clock, **settings)
        self.client, self.kind = client_of(self.teken, office), (office, KIND[office])

    @property
    def head(self):
        return holder(self.teken, self.office, "kepala_dinas")

    def waiting(self, upstream_id="UJI-0001", **changes):
        """A permit that waits for the head's order."""
        permit = post(self.teken, self.client, payload(*self.kind, upstream_id, **changes)).body["id"]
        self.until_the_head(permit)
        return permit

    def until_the_head(self, permit):
        work(self.teken)
        plan = self.teken.pins.open(row(self.teken, permit).pin).permit_type.procedure.plan
        while str(plan[row(self.teken, permit).position].verb) != "sign":
            take_turn(self.teken, permit)
            work(self.teken)

    def order(self, permit, seen=None):
        seen = seen or row(self.teken, permit).final_sha
        acts.order_signature(self.teken, self.head, permit, seen_sha=seen)
        return row(self.teken, permit)

    def entries(self):
        with self.teken.db.read() as connection:
            query = select(register.c.kind, register.c.no, register.c.permit).order_by(register.c.at, register.c.seq)
            return [tuple(one) for one in connection.execute(query)]

    def change(self, permit, **values):
        with self.teken.db.write() as connection:
            connection.execute(update(permits).where(permits.c.id == permit).values(**values))

    def promote(self, rank):
        """Another rank is another signatory: whatever names the old one is made and read again."""
        with self.teken.db.write() as connection:
            connection.execute(update(officials).where(officials.c.id == self.head).values(rank=rank))

    def is_sound(self):
        assert audit(self.teken).violations == ()
        database = str(self.home / "teken.db")
        assert judge(Evidence(database, self.home / "archive", self.teken.notary.verifier, settled=False)) == []


@pytest.fixture
def malang(tmp_path, keys):
    opened = House(tmp_path, keys, "malang")
    yield opened
    opened.teken.close()


@pytest.fixture(params=CASES)
def house(request, tmp_path, keys):
    (office, _), sealed = CASES[request.param]
    opened = House(tmp_path, keys, office, sealed=sealed)
    opened.sealed = sealed
    yield opened
    opened.teken.close()


def shape(facts):
    """The signatures as the verification of a file that is not known by its hash compares them."""
    return tuple((one.field, one.locks, one.permission) for one in facts.signatures)


def fixed(permit):
    return [getattr(permit, name) for name in ("series", "number_no", "number", "set_on", "valid_from", "valid_to")]


def test_the_whole_story(house, tmp_path):
    teken = house.teken
    permit = row(teken, issued(teken, house.client, payload(*house.kind)))
    verbs = [verb for _, verb, _, _ in done(teken, permit.id)]
    order = ["sign", "number", "seal", "issue"] if house.sealed else ["sign", "number", "issue", "notify"]
    assert verbs[verbs.index("sign") :][:4] == order
    events = [name for name, _ in told(teken, permit.id)]
    wanted = ["permit.numbered", "permit.sign_ordered", "permit.signed", "permit.recorded", "permit.issued"]
    assert [name for name in events if name in wanted] == wanted
    (recorded,) = told_data(teken, permit.id, "permit.recorded")
    (numbered,) = told_data(teken, permit.id, "permit.numbered")
    assert (recorded["number"], recorded["no"], recorded["row"]) == (
        permit.number,
        1,
        10 if house.office == "malang" else 9,
    )
    assert numbered["number"] == permit.number
    pdf = teken.archive.get(permit.released_sha)
    assert pdf.startswith(teken.archive.get(permit.ordered_sha))
    values = filled(pdf)
    assert tuple(values) == LATER
    assert values["nomor_register"] == permit.number
    assert filled(teken.archive.get(permit.head_sha)) == values
    assert filled(teken.archive.get(permit.ordered_sha)) == {}
    assert seen_codes(pdf) == seen_by_poppler(pdf, tmp_path) == [permit.verify_url]
    assert (permit.sealed_sha is not None) == house.sealed
    assert verify_file(teken, pdf).verdict == "identical"
    facts = inspect(pdf, trust(teken))
    assert all(one.sound and one.trusted for one in facts.signatures)
    assert shape(facts) in shapes(teken.offices)[house.office]
    house.is_sound()


def test_the_heads_signature_alone_protects_the_number(house):
    """Whoever refills the number of a signed paper breaks the head's own signature, and the verdict says so."""
    teken = house.teken
    permit = row(teken, issued(teken, house.client, payload(*house.kind)))
    head = teken.archive.get(permit.head_sha)
    with pikepdf.open(io.BytesIO(head)) as document:
        lock = next(one for one in document.Root.AcroForm.Fields if str(one.T) == "ttd_kepala").V.Reference
        names = [str(name) for one in lock for name in one.TransformParams.get("/Fields", [])]
    assert not set(names) & set(LATER)
    update_ = PlainUpdate(io.BytesIO(teken.archive.get(permit.released_sha)))
    reference = field_references(update_, "/Tx")["nomor_register"]
    reference.get_object()["/V"] = generic.TextStringObject(permit.number.replace("1", "7"))
    update_.mark_update(reference)
    out = io.BytesIO()
    update_.write(out)
    answer = verify_file(teken, out.getvalue())
    assert answer.verdict == "altered"
    assert not any(one.valid for one in answer.signatures if one.field == "ttd_kepala")


def test_no_number_is_given_before_the_order(malang):
    permit = malang.waiting()
    assert row(malang.teken, permit).number is None
    with pytest.raises(Conflict, match="seen_differs"):
        malang.order(permit, seen="0" * 64)
    assert malang.entries() == []
    ordered = malang.order(permit)
    assert (ordered.state, ordered.number_no, ordered.set_on) == ("signing", 1, "2026-11-20")
    assert malang.entries() == [("allot", 1, permit)]


def test_no_number_is_spent_where_the_certificate_may_not_sign(malang, monkeypatch):
    permit, asked = malang.waiting(), []

    def unfit(owner, *_given, **_named):
        asked.append(owner)
        raise fitness.CertificateUnfit("certificate_expired", owner=owner)

    monkeypatch.setattr(fitness, "check_certificate", unfit)
    with pytest.raises(TekenError, match="role_forbids"):
        acts.order_signature(malang.teken, "malang/sekretaris", permit, seen_sha=row(malang.teken, permit).final_sha)
    assert asked == []  # nobody is asked for those who may not order
    with pytest.raises(fitness.CertificateUnfit, match="certificate_expired"):
        malang.order(permit)
    assert malang.entries() == []
    assert row(malang.teken, permit).queue == "person"


def test_what_goes_to_a_service_is_the_same_each_time_and_begins_with_what_was_read(house):
    permit = house.order(house.waiting())
    bundle = house.teken.pins.open(permit.pin)
    ordered, given = house.teken.archive.get(permit.ordered_sha), paper.to_sign(house.teken, permit, bundle)
    assert given == paper.to_sign(house.teken, permit, bundle)
    assert given.startswith(ordered)
    assert given == fill(ordered, paper.filled_before(permit, bundle))
    assert filled(given)["nomor_register"] == permit.number


TAMPERED = [
    {"number": "500.16.7.2/0009/SIK-PM/I/DPMPTSP/2026"},
    {"number_no": 9},
    {"set_on": "2026-01-01"},
    {"valid_to": "2041-11-20"},
    {"valid_from": "2020-01-01"},
    {"series": "malang/lain/2026"},
]


@pytest.mark.parametrize("values", TAMPERED, ids=[next(iter(one)) for one in TAMPERED])
def test_who_changes_the_permits_row_gets_nothing_signed(tmp_path, keys, values):
    house = House(tmp_path, keys, "malang", max_attempts=1)
    permit = house.order(house.waiting())
    house.change(permit.id, **values)
    work(house.teken)
    after = row(house.teken, permit.id)
    assert (after.state, after.fault, after.head_sha) == ("parked", "number_differs", None)
    house.change(permit.id, **{name: getattr(permit, name) for name in values})
    acts.resume_parked(house.teken, permit.id)
    play(house.teken, permit.id)
    assert row(house.teken, permit.id).state == "in_force"
    house.is_sound()
    house.teken.close()


def test_who_changes_the_register_too_gets_nothing_signed(tmp_path, keys):
    """The order is in the journal, under a key that the database does not hold."""
    house = House(tmp_path, keys, "malang", max_attempts=1)
    permit = house.order(house.waiting())
    number = permit.number.replace("0001", "0009")
    with house.teken.db.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS register_no_update")
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'register'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.execute(update(register).values(number=number, no=9))
    house.change(permit.id, number=number, number_no=9)
    work(house.teken)
    after = row(house.teken, permit.id)
    assert (after.state, after.fault, after.head_sha) == ("parked", "number_differs", None)
    house.teken.close()


def test_the_number_of_another_permit_is_not_signed(tmp_path, keys):
    house = House(tmp_path, keys, "malang", max_attempts=1)
    first, second = [house.order(permit) for permit in [house.waiting(f"UJI-{one}") for one in (1, 2)]]
    house.change(second.id, number=first.number, number_no=first.number_no)
    work(house.teken)
    assert row(house.teken, first.id).head_sha is not None
    assert row(house.teken, second.id).fault == "number_differs"
    house.teken.close()


def test_a_new_signatory_lapses_the_order_and_number_and_date_stay(house):
    permit = house.order(house.waiting())
    house.clock.forward(days=3)
    house.promote("Pembina Utama Madya")
    work(house.teken)
    lapsed = row(house.teken, permit.id)
    assert (lapsed.state, lapsed.ordered_sha, lapsed.queue) == ("numbered", None, "person")
    assert fixed(lapsed) == fixed(permit)
    play(house.teken, permit.id)
    after = row(house.teken, permit.id)
    assert (after.state, fixed(after)) == ("in_force", fixed(permit))
    assert after.ordered_sha != permit.ordered_sha
    assert len(told_data(house.teken, permit.id, "permit.numbered")) == 1
    assert house.entries() == [("allot", 1, permit.id)]
    house.is_sound()


def test_a_correction_after_the_number_keeps_it_and_its_date(house):
    """The order lapsed, the head returns the case, and it comes back with another STR: the validity follows, nothing else."""
    permit = house.order(house.waiting())
    house.promote("Pembina Utama Madya")
    work(house.teken)
    acts.give_back(house.teken, house.head, permit.id, reason="tanggal STR keliru")
    house.clock.forward(days=4)
    between = house.order(house.waiting("UJI-LAIN"))
    post(house.teken, house.client, payload(*house.kind, str__masa_berlaku="2029-08-17"))
    play(house.teken, permit.id)
    after = row(house.teken, permit.id)
    assert (after.state, after.number, after.set_on) == ("in_force", permit.number, "2026-11-20")
    assert (after.valid_to, between.number_no) == ("2029-08-17", 2)
    values = filled(house.teken.archive.get(after.released_sha))
    assert [values[name] for name in LATER] == [permit.number, "20 November 2026", "17 Agustus 2029"]
    house.is_sound()


def test_a_withdrawn_case_takes_its_number_with_it(malang):
    ids = [malang.waiting("UJI-1"), malang.waiting("UJI-2")]
    permit, other = malang.order(ids[0]), ids[1]
    corrections.withdraw(malang.teken, malang.client, permit.id, "batal")
    assert malang.order(other).number_no == 2
    work(malang.teken)
    assert row(malang.teken, permit.id).head_sha is None
    assert malang.entries() == [("allot", 1, permit.id), ("void", 1, permit.id), ("allot", 2, other)]
    malang.is_sound()


def test_a_signature_that_fails_keeps_the_number_for_its_own_case(tmp_path, keys, monkeypatch):
    house = House(tmp_path, keys, "kudus", sealed=False, max_attempts=1)
    permit = house.order(house.waiting())
    with monkeypatch.context() as patch:

        def fails(*_given, **_named):
            raise SigningFailed("backend_failed")

        patch.setattr(sign_step, "apply_signature", fails)
        work(house.teken)
    assert (row(house.teken, permit.id).state, row(house.teken, permit.id).number) == ("parked", permit.number)
    assert issued(house.teken, house.client, payload(*house.kind, "UJI-LAIN"))
    acts.resume_parked(house.teken, permit.id)
    play(house.teken, permit.id)
    assert fixed(row(house.teken, permit.id)) == fixed(permit)
    assert [no for _, no, _ in house.entries()] == [1, 2]
    house.is_sound()
    house.teken.close()


OLD_YEAR, NEW_YEAR = datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2027, 1, 4, 2, tzinfo=UTC)


@pytest.mark.parametrize("stage", ["ordered", "lapsed", "parked"])
@pytest.mark.parametrize(("policy", "year"), [("keep", "2026"), ("void", "2027")])
def test_new_year_between_order_and_signature(tmp_path, keys, monkeypatch, policy, year, stage):
    house = House(tmp_path, keys, "malang", at=OLD_YEAR, year_end=policy, max_attempts=1)
    permit = house.order(house.waiting())
    if stage == "lapsed":
        house.promote("Pembina Utama Madya")
        work(house.teken)
    if stage == "parked":
        with monkeypatch.context() as patch:
            patch.setattr(sign_step, "apply_signature", lambda *_: 1 / 0)
            work(house.teken)
        assert row(house.teken, permit.id).state == "parked"
    house.clock.at = NEW_YEAR
    (settled,) = settle_year(house.teken, "malang")
    assert settled["kept"] == (policy == "keep")
    if stage == "parked":
        acts.resume_parked(house.teken, permit.id)
    play(house.teken, permit.id)
    after = row(house.teken, permit.id)
    assert (after.state, after.number[-4:], after.set_on[:4]) == ("in_force", year, year)
    assert len(told_data(house.teken, permit.id, "permit.numbered")) == (1 if policy == "keep" else 2)
    assert filled(house.teken.archive.get(after.released_sha))["nomor_register"] == after.number
    house.is_sound()
    house.teken.close()


def test_two_orders_at_once_are_one_order_and_one_number(malang):
    permit = malang.waiting()
    seen = row(malang.teken, permit).final_sha

    def press(_):
        try:
            acts.order_signature(malang.teken, malang.head, permit, seen_sha=seen)
        except StateForbids:
            return "late"
        return "ordered"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, range(8)))
    assert sorted(answers) == ["late"] * 7 + ["ordered"]
    assert malang.entries() == [("allot", 1, permit)]
    assert [name for name, _ in told(malang.teken, permit)].count("permit.sign_ordered") == 1


def test_many_papers_ordered_at_once_are_numbered_without_a_gap(malang):
    ids = [malang.waiting(f"UJI-{number}") for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(malang.order, ids))
    numbers = [row(malang.teken, permit).number_no for permit in ids]
    assert sorted(numbers) == list(range(1, 13))
    work(malang.teken)
    malang.is_sound()


def test_a_tray_of_five_with_one_that_changed(tmp_path, keys):
    """The skipped one gets no number, so the others are 1 to 4; ordered anew it is the fifth."""
    passphrase = (keys / "passphrase").read_bytes().strip()
    hidden = {"passphrase_file": tmp_path / "none", "seal_passphrase_file": keys / "passphrase"}
    house = House(tmp_path, keys, "malang", **hidden)
    pipeline.drain(house.teken, "sign")
    ids = [house.waiting(f"UJI-{number}") for number in range(5)]
    listed = [(permit, row(house.teken, permit).final_sha) for permit in ids]
    listed[2] = (ids[2], "0" * 64)
    opened = batch.open_batch(house.teken, house.head, listed, bytearray(passphrase))
    work(house.teken)
    found = batch.status(house.teken, opened.id)
    assert found.counts == {"signed": 4, "skipped": 1}
    assert {item.permit: item.cause for item in found.items if item.result == Result.SKIPPED} == {
        ids[2]: "seen_differs"
    }
    assert row(house.teken, ids[2]).number is None
    assert sorted(no for _, no, _ in house.entries()) == [1, 2, 3, 4]
    again = batch.open_batch(
        house.teken, house.head, [(ids[2], row(house.teken, ids[2]).final_sha)], bytearray(passphrase)
    )
    work(house.teken)
    assert batch.status(house.teken, again.id).counts == {"signed": 1}
    assert row(house.teken, ids[2]).number_no == 5
    house.is_sound()
    house.teken.close()


def test_a_batch_that_is_stopped_leaves_each_number_with_its_case(tmp_path, keys):
    passphrase = (keys / "passphrase").read_bytes().strip()
    hidden = {"passphrase_file": tmp_path / "none", "seal_passphrase_file": keys / "passphrase"}
    house = House(tmp_path, keys, "malang", **hidden)
    pipeline.drain(house.teken, "sign")
    ids = [house.waiting(f"UJI-{number}") for number in range(3)]
    listed = [(permit, row(house.teken, permit).final_sha) for permit in ids]
    opened = batch.open_batch(house.teken, house.head, listed, bytearray(passphrase))
    before = {permit: row(house.teken, permit).number for permit in ids}
    batch.stop_after_this(house.teken, house.head, opened.id)
    assert {row(house.teken, permit).state for permit in ids} == {"numbered"}
    again = batch.open_batch(house.teken, house.head, listed[::-1], bytearray(passphrase))
    work(house.teken)
    assert batch.status(house.teken, again.id).counts == {"signed": 3}
    assert {permit: row(house.teken, permit).number for permit in ids} == before
    assert len(house.entries()) == 3
    house.is_sound()
    house.teken.close()


POINTS = (
    "act.before_commit",
    "act.after_commit",
    "sign.after_signature",
    "sign.after_archive",
    "sign.before_commit",
    "sign.after_commit",
    "number.before_commit",
    "number.after_commit",
    "seal.after_archive",
    "issue.after_proof",
)


@pytest.mark.timeout(180)
def test_killed_at_every_point_around_the_order_a_case_has_one_number(tmp_path, keys):
    """A real process dies by SIGKILL between each two writes; another goes on, and nothing is doubled, lost or skipped."""
    house = House(tmp_path, keys, "malang", lease_seconds=1)
    ids = [house.waiting(f"UJI-{number}") for number in range(len(POINTS))]
    house.teken.db.dispose()
    for permit, point in zip(ids, POINTS, strict=True):
        died = _die(house, keys, permit, point)
        assert died == signal.SIGKILL, point
        house.clock.forward(seconds=5)
        play(house.teken, permit)
        assert row(house.teken, permit).state == "in_force", point
        house.teken.db.dispose()
    assert [no for kind, no, _ in house.entries() if kind == "allot"] == list(range(1, len(POINTS) + 1))
    assert all(told_data(house.teken, permit, "permit.numbered") for permit in ids)
    house.is_sound()
    house.teken.close()


def _die(house, keys, permit, point):
    """Play the permit in a process of its own, which dies at the point; return the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        try:
            teken = open_tree(house.home, house.templates, keys, SetClock(house.clock.at), lease_seconds=1)
            failpoints.arm(f"{point}:1")
            play(teken, permit)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) * -1


def test_step_seven_refuses_another_number_date_or_place(house):
    """The proof is of the values that the register gave, not of whatever stands in the fields."""
    permit = row(house.teken, issued(house.teken, house.client, payload(*house.kind)))
    pdf, bundle = house.teken.archive.get(permit.released_sha), house.teken.pins.open(permit.pin)
    with house.teken.db.read() as connection:
        text = connection.execute(select(documents.c.signatures).where(documents.c.permit == permit.id)).scalar_one()
    expected = expectation(house.teken, permit, bundle, json.loads(text))
    prove(pdf, expected)
    values = dict(expected.filled)
    assert tuple(values) == LATER
    mutants = [{**values, name: values[name].translate(str.maketrans("0123456789", "1234567890"))} for name in LATER]
    mutants += [{**values, LATER[1]: values[LATER[2]], LATER[2]: values[LATER[1]]}, {}]
    for mutant in mutants:
        with pytest.raises(ProofFailed):
            prove(pdf, replace(expected, filled=mutant))


def test_an_office_may_go_back_and_forth(tmp_path, keys):
    """What was issued before the choice, and after it was undone, verifies as the office's own."""
    house = House(tmp_path, keys, "malang")
    first = row(house.teken, issued(house.teken, house.client, payload(*house.kind, "UJI-1")))
    house.teken.close()
    edit(house.templates / "malang" / "office.toml", "number_at_sign = true", "number_at_sign = false")
    back = open_tree(house.home, house.templates, keys, house.clock)
    second = row(back, issued(back, house.client, payload(*house.kind, "UJI-2")))
    assert (first.number_no, second.number_no) == (1, 2)
    events = [name for name, _ in told(back, second.id)]
    assert "permit.recorded" not in events
    for permit in (first, second):
        pdf = back.archive.get(permit.released_sha)
        assert verify_file(back, pdf).verdict == "identical"
        assert shape(inspect(pdf, trust(back))) in shapes(back.offices)["malang"]
    assert audit(back).violations == ()
    assert back.offices.permit_type(*house.kind).procedure.number_after
    assert timedelta(0) == house.clock.at - NOW
    back.close()


def test_a_case_that_waits_keeps_the_choice_of_its_own_day(tmp_path, keys):
    """Pinned with its office: the choice counts for cases that are accepted after it."""
    house = House(tmp_path, keys, "malang")
    permit = house.waiting()
    house.teken.close()
    edit(house.templates / "malang" / "office.toml", "number_at_sign = true", "number_at_sign = false")
    back = open_tree(house.home, house.templates, keys, house.clock)
    play(back, permit)
    assert row(back, permit).state == State.IN_FORCE
    assert [name for name, _ in told(back, permit)].count("permit.recorded") == 1
    back.close()
