"""Every reported quirk of the service through the real steps: where the permit ends, what the batch and the journal say."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from service import acts, batch
from service.errors import Conflict
from service.permits import State
from service.resend import confirm_resend
from service.steps import dispatch
from service.store.batch_tables import BatchState
from service.store.database import Database
from signing import BsreBackend
from tests.backends.conftest import HILIR, HULU, bsre_office

SIGNED = ["sign_ordered", "dispatched", "signed", "issued"]


def result(opened: batch.Batch) -> list[tuple[str, str | None, bool]]:
    return [(str(item.result), item.cause, item.retryable) for item in opened.items]


@pytest.mark.parametrize(
    "quirk",
    ["error_with_file", "text_codes", "pixel_size", "picture_required", "slow=0.3", "verify_200", "misspelt_key"],
)
def test_oddities_that_change_nothing(tmp_path, keys, bsre_keys, quirk):
    """A file counts whatever the status beside it; of what `verify/pdf` says nothing is believed, so nothing is asked."""
    with bsre_office(tmp_path, keys, bsre_keys, quirk) as desk:
        opened, (permit,) = desk.signed()
        assert (opened.state, result(opened)) == (BatchState.DONE, [("signed", None, False)])
        assert (desk.row(permit).state, desk.told(permit)[:4]) == (State.IN_FORCE, SIGNED)
        assert desk.dispatches(permit) == ["returned"]


def test_a_clock_six_minutes_off_is_noted(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, "clock_off=6") as desk:
        _, (permit,) = desk.signed()
        assert desk.row(permit).state == State.IN_FORCE
        (signature,) = desk.signatures(permit)
        assert (signature["proof"], signature["notes"]) == ("bytes", ["clock_off"])


@pytest.mark.parametrize(
    ("quirk", "policy", "code"),
    [("own_field", "strict", "returned_field"), ("rewritten", "strict", "returned_prefix")],
)
def test_what_is_not_ours_is_quarantined_and_stops_the_batch(tmp_path, keys, bsre_keys, quirk, policy, code):
    signing = f'backend = "bsre"\nreturned = "{policy}"'
    with bsre_office(tmp_path, keys, bsre_keys, quirk, signing=signing) as desk:
        opened, (first, second) = desk.signed(2)
        assert (opened.state, opened.cause) == (BatchState.STOPPED, "proof_mismatch")
        by_permit = {item.permit: item for item in opened.items}
        bad = first if by_permit[first].cause == code else second
        good = second if bad == first else first
        assert (str(by_permit[bad].result), by_permit[bad].cause, by_permit[bad].retryable) == ("failed", code, False)
        assert (str(by_permit[good].result), by_permit[good].cause) == ("skipped", "batch_stopped")
        now = desk.row(bad)
        assert (now.state, now.queue, now.fault, now.head_sha) == (State.NUMBERED, "person", code, None)
        assert (desk.dispatches(bad), desk.dispatches(good)) == (["unknown"], [])
        assert desk.quarantined(bad) == [code]
        assert desk.told(bad) == ["sign_ordered", "dispatched", "return_refused", "order_withdrawn"]


@pytest.mark.parametrize(("quirk", "code"), [("wrong_passphrase", "passphrase_wrong")])
def test_a_wrong_passphrase_reaches_the_service_once(tmp_path, keys, bsre_keys, quirk, code):
    with bsre_office(tmp_path, keys, bsre_keys, quirk) as desk:
        opened, permits = desk.signed(3)
        assert (opened.state, opened.cause, opened.counts) == (BatchState.REFUSED, code, {"waiting": 3})
        assert desk.service.requests("sign/pdf") == 1
        assert {desk.row(permit).state for permit in permits} == {State.NUMBERED}
        assert sorted(desk.dispatches(permit) for permit in permits) == [[], [], ["refused"]]
        desk.sign()
        desk.tend()
        assert desk.service.requests("sign/pdf") == 1


@pytest.mark.parametrize(
    ("quirk", "state"), [("wrong_passphrase", BatchState.REFUSED), ("not_registered", BatchState.PAUSED)]
)
def test_whoever_tends_between_two_commits_takes_nothing_out(tmp_path, keys, bsre_keys, monkeypatch, quirk, state):
    """Another process looks after every commit: what waits for the batch to go on still waits."""
    with bsre_office(tmp_path, keys, bsre_keys, quirk) as desk:
        opened = desk.open(desk.fill(3))
        write, looking = Database.write, []

        @contextmanager
        def write_and_tend(database):
            with write(database) as connection:
                yield connection
            if not looking:
                looking.append(True)
                desk.tend()
                looking.clear()

        monkeypatch.setattr(Database, "write", write_and_tend)
        desk.sign()
        opened = batch.status(desk.teken, opened.id)
        assert (opened.state, opened.counts) == (state, {"waiting": 3})


def test_typed_again_it_goes_on(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys) as desk:
        opened, permits = desk.signed(2, b"salah")
        assert (opened.state, opened.cause) == (BatchState.REFUSED, "passphrase_wrong")
        batch.resume(desk.teken, desk.head, opened.id, bytearray(b"frasa-contoh-satu"))
        desk.sign()
        assert batch.status(desk.teken, opened.id).counts == {"signed": 2}
        assert sorted(len(desk.dispatches(permit)) for permit in permits) == [1, 2]


def test_a_signer_whom_the_service_does_not_know(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, "not_registered") as desk:
        opened, permits = desk.signed(2)
        assert (opened.state, opened.cause, opened.counts) == (BatchState.PAUSED, "not_registered", {"waiting": 2})
        assert {desk.row(permit).queue for permit in permits} == {"person"}
        assert desk.service.requests("sign/pdf") == 0


@pytest.mark.parametrize("quirk", ["too_many", "unavailable"])
def test_a_busy_service_is_waited_for_at_the_look_up(tmp_path, keys, bsre_keys, quirk):
    with bsre_office(tmp_path, keys, bsre_keys, quirk) as desk:
        opened, (permit,) = desk.signed()
        assert opened.counts == {"signed": 1}
        assert desk.dispatches(permit) == ["returned"]


def test_a_lost_answer_is_never_resent_until_the_signer_says_so(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, "drops_connection") as desk:
        opened, (first, second) = desk.signed(2)
        assert (opened.state, opened.cause) == (BatchState.PAUSED, "outcome_unknown")
        lost = first if desk.dispatches(first) else second
        waits = second if lost == first else first
        assert (desk.dispatches(lost), desk.dispatches(waits)) == (["unknown"], [])
        now = desk.row(lost)
        assert (now.state, now.queue, now.fault) == (State.NUMBERED, "person", "outcome_unknown")
        assert desk.told(lost) == ["sign_ordered", "dispatched", "dispatch_unknown", "order_withdrawn"]
        item = next(one for one in opened.items if one.permit == lost)
        assert (str(item.result), item.cause, item.retryable) == ("failed", "outcome_unknown", False)
        for _ in range(3):
            desk.sign()
            desk.tend()
        assert desk.service.requests("sign/pdf") == 1
        with pytest.raises(Conflict, match="resend_unconfirmed"):
            desk.order(lost)
        desk.service.quirks.clear()  # the line is good again
        again = batch.resume(desk.teken, desk.head, opened.id, bytearray(b"frasa-contoh-satu"))
        desk.sign()
        assert batch.status(desk.teken, again.id).counts == {"signed": 1, "failed": 1}
        confirm_resend(desk.teken, desk.head, lost)
        with pytest.raises(Conflict, match="nothing_to_confirm"):
            confirm_resend(desk.teken, desk.head, lost)
        batch.retry_failed(desk.teken, desk.head, opened.id, bytearray(b"frasa-contoh-satu"))
        desk.sign()
        desk.work()
        assert desk.row(lost).state == State.IN_FORCE
        assert desk.dispatches(lost) == ["resend_confirmed", "returned"]
        assert desk.released(lost) == 1


def test_only_who_signs_may_confirm(tmp_path, keys, bsre_keys):
    from service.errors import RoleForbids

    with bsre_office(tmp_path, keys, bsre_keys, "drops_connection") as desk:
        _, (permit,) = desk.signed()
        others = [f"{HILIR[0]}/{one.code}" for one in desk.teken.offices.office(HILIR[0]).people]
        stranger = next(one for one in others if one != desk.head)
        with pytest.raises(RoleForbids):
            confirm_resend(desk.teken, stranger, permit)
        assert desk.dispatches(permit) == ["unknown"]


@pytest.mark.heavy
def test_after_the_first_document_they_go_in_chunks(tmp_path, keys, bsre_keys, database):
    with bsre_office(tmp_path, keys, bsre_keys, database=database, chunk=3) as desk:
        opened, permits = desk.signed(8)
        assert (opened.state, opened.counts) == (BatchState.DONE, {"signed": 8})
        assert desk.service.requests("sign/pdf") == 4, "one that proves the passphrase, then 3, 3 and 1"
        assert {tuple(desk.dispatches(permit)) for permit in permits} == {("returned",)}
        assert {desk.row(permit).state for permit in permits} == {State.IN_FORCE}


def test_a_document_that_is_missing_in_the_answer_is_unknown_and_the_others_are_signed(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, "partial_batch", chunk=3) as desk:
        opened, permits = desk.signed(6)
        assert (opened.state, opened.cause) == (BatchState.PAUSED, "outcome_unknown")
        assert opened.counts == {"signed": 3, "failed": 1, "waiting": 2}
        assert sorted(desk.dispatches(permit) for permit in permits) == [[], [], *[["returned"]] * 3, ["unknown"]]
        assert desk.service.requests("sign/pdf") == 2


def test_in_a_chunk_each_document_is_judged_by_itself(tmp_path, keys, bsre_keys):
    """A line that breaks leaves the whole chunk unknown, and what was not sent waits."""
    with bsre_office(tmp_path, keys, bsre_keys, chunk=3) as desk:
        listed = desk.fill(6)
        opened = desk.open(listed)
        desk.sign(1)
        desk.service.quirks["drops_connection"] = 1
        desk.sign()
        now = batch.status(desk.teken, opened.id)
        assert (now.state, now.counts) == (BatchState.PAUSED, {"signed": 1, "failed": 3, "waiting": 2})
        assert {item.cause for item in now.items} == {None, "outcome_unknown"}
        assert desk.service.requests("sign/pdf") == 2


def test_what_breaks_while_one_document_is_judged_takes_none_of_the_others_along(
    tmp_path, keys, bsre_keys, monkeypatch
):
    """The service signed all three: two of them are kept, and the third is a question to the signer."""
    with bsre_office(tmp_path, keys, bsre_keys, chunk=3) as desk:
        listed = desk.fill(4)
        opened, judge, judged = desk.open(listed), dispatch.accept_returned, []

        def breaks(*given, **how):
            judged.append(given)
            if len(judged) == 3:
                raise OSError("no space left on device")
            return judge(*given, **how)

        monkeypatch.setattr(dispatch, "accept_returned", breaks)
        desk.sign()
        now = batch.status(desk.teken, opened.id)
        assert now.counts == {"signed": 3, "failed": 1}
        assert {item.cause for item in now.items} == {None, "outcome_unknown"}
        assert desk.service.requests("sign/pdf") == 2


def test_a_fault_of_the_program_ends_no_signing_process(tmp_path, keys, bsre_keys, monkeypatch):
    """It holds what the head typed; the documents of the chunk wait, and nothing left."""
    with bsre_office(tmp_path, keys, bsre_keys, chunk=3) as desk:
        opened = desk.open(desk.fill(4))
        desk.sign(1)

        def missing(_client):
            raise FileNotFoundError("ca.pem")

        with monkeypatch.context() as patch:
            patch.setattr(BsreBackend, "check_account", missing)
            desk.sign(1)
        assert desk.service.requests("sign/pdf") == 1
        desk.sign()
        assert batch.status(desk.teken, opened.id).counts == {"signed": 4}
        assert desk.service.requests("sign/pdf") == 2


def test_a_service_that_signs_in_the_seals_place_is_refused(tmp_path, keys, bsre_keys):
    """Without a field for the head, this service takes the next empty one; it is the seal's."""
    own = 'backend = "bsre"\nreturned = "own_field"'
    with bsre_office(tmp_path, keys, bsre_keys, signing=own, kind=HULU) as desk:
        opened, (permit,) = desk.signed()
        assert result(opened) == [("failed", "returned_field", False)]
        assert desk.quarantined(permit) == ["returned_field"]


def test_a_seal_whose_answer_is_lost_is_parked_until_the_signer_says_so(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, signing='[signing.seal]\nbackend = "bsre"', kind=HULU) as desk:
        ((permit, sha),) = desk.fill(1)
        desk.open([(permit, sha)], (keys / "passphrase").read_bytes().strip())
        desk.sign(1)  # the head, by a key of ours
        desk.service.quirks["drops_connection"] = 1
        desk.sign()
        now = desk.row(permit)
        assert (now.state, now.parked_from, now.fault) == (State.PARKED, State.SIGNED, "outcome_unknown")
        assert desk.dispatches(permit) == ["unknown"]
        acts.resume_parked(desk.teken, permit)
        desk.sign()
        assert desk.service.requests("seal/pdf") == 1, "the operator alone sends nothing again"
        desk.service.quirks.clear()
        confirm_resend(desk.teken, desk.head, permit)
        acts.resume_parked(desk.teken, permit)
        desk.sign()
        desk.work()
        assert (desk.row(permit).state, desk.released(permit)) == (State.IN_FORCE, 1)
        assert desk.dispatches(permit) == ["resend_confirmed", "returned"]


def test_below_the_level_of_the_office_nothing_is_issued(tmp_path, keys, bsre_keys):
    """The service adds no time-stamp, and no silent downgrade happens: the permit waits and says why."""
    levels = {"levels": 'issue_at_least = "B-T"\ntarget = "B-T"', "tsa_url": "http://127.0.0.1:9/"}
    with bsre_office(tmp_path, keys, bsre_keys, **levels) as desk:
        opened, (permit,) = desk.signed()
        assert opened.counts == {"signed": 1}
        now = desk.row(permit)
        assert (now.state, now.parked_from, now.fault) == (State.PARKED, State.SIGNED, "level_too_low")
        assert desk.released(permit) == 0


def test_the_service_does_not_know_this_application(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys, password="lain\n") as desk:
        opened, permits = desk.signed(2)
        assert (opened.state, opened.cause, opened.counts) == (BatchState.PAUSED, "login_refused", {"waiting": 2})
        assert [desk.dispatches(permit) for permit in permits] == [[], []]
