"""Every code that a check can tell has its words, and every word is used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import service.doctor
import service.host
from service.doctor import CHECKS
from service.doctor.findings import State, worded, words
from service.doctor.moments import FAULT_SECONDS, WARNING_SECONDS
from service.doctor.storage import _CODES

SOURCES = sorted(Path(service.doctor.__file__).parent.glob("*.py"))
MAKERS = {"well", "warning", "fault", "unknown", "told"}
FROM_ELSEWHERE = {
    # service/people.py and service/steps/fitness.py, of an enrolled certificate
    *(
        "certificate_missing",
        "certificate_expired",
        "certificate_not_yet_valid",
        "certificate_usage",
        "certificate_key",
    ),
    *("certificate_untrusted", "certificate_revoked"),
    *("revocation_unreachable", "revocation_no_source", "revocation_wrong"),
    # opening a key
    *("key_unreadable", "passphrase_wrong", "key_unsupported", "certificate_unfit"),
    *("pin_wrong", "pin_locked", "token_key_missing", "backend_failed"),
    # a token's flags; an account's status
    *("pin_low", "pin_final"),
    *("account_not_registered", "account_expired", "account_pending", "account_revoked", "account_unknown"),
    # services and time-stamps
    *("service_unreachable", "service_busy", "service_unclear", "account_inactive"),
    # gateways for applicants
    *("notices_unreachable", "notices_tls_failed", "notices_login_refused"),
    *("tsa_unreachable", "tsa_refused", "tsa_token_wrong", "tsa_untrusted"),
    *_CODES.values(),
}


def told() -> set[str]:
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
    return found


def test_each_code_has_words_and_each_word_is_used():
    assert told() | FROM_ELSEWHERE == set(words()["code"])


def test_each_check_and_state_has_a_name():
    assert [one.name for one in CHECKS] == list(words()["check"])
    assert list(words()["state"]) == [state.value for state in State]


def test_whatever_is_not_well_says_what_to_do():
    """A sentence each; what is well needs none."""
    for code, texts in words()["code"].items():
        assert texts.keys() == {"message", "remedy"}, code
        assert texts["message"].endswith("."), code
        assert not texts["remedy"] or texts["remedy"].endswith("."), code
        assert "\n" not in texts["message"] + texts["remedy"], code


def test_what_may_be_wrong_has_a_remedy_and_what_is_well_none():
    well = set()
    for path in SOURCES:
        well |= set(re.findall(r'\bwell\("(\w+)"', path.read_text()))
    assert {code for code, texts in words()["code"].items() if not texts["remedy"]} == well


def test_every_phrase_is_used():
    text = "".join(path.read_text() for path in SOURCES)
    used = {name for call in re.findall(r"phrase\((.*)", text) for name in re.findall(r'"(\w+)"', call)}
    assert used == set(words()["phrase"])


def test_the_limits_are_those_of_the_issue():
    assert (WARNING_SECONDS, FAULT_SECONDS) == (30, 300)


def test_a_value_is_never_a_template():
    from service.doctor.findings import fault

    said = worded("offices", fault("office_fault", "malang/office.toml", why="$mode ${x}"))
    assert "$mode ${x}" in said.message


def test_the_reasons_of_the_hosts_file_are_still_said_so():
    """FileNotFoundError and its like are named by Python."""
    source = Path(service.host.__file__).read_text()
    ours = [said for said in words()["reason"] if not said.endswith("Error")]
    assert [said for said in ours if said not in source] == []
