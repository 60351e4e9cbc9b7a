"""Settings refuse what they do not know: a typing error in a unit file stops the start, naming the variable."""

from __future__ import annotations

import pytest

from service import failpoints
from service.settings import Settings, SettingsInvalid


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TEKEN_DATABSE_URL", "sqlite:///x"),
        ("TEKEN_LEASE_SECONDS", "0"),
        ("TEKEN_LEASE_SECONDS", "soon"),
        ("TEKEN_MAX_ATTEMPTS", "0"),
        ("TEKEN_POLL_SECONDS", "-1"),
        ("TEKEN_BUSY_SECONDS", "3600"),
        ("TEKEN_PUBLIC_URL", "izin.example"),
        ("TEKEN_TSA_URL", "ftp://tsa.example"),
    ],
)
def test_a_wrong_or_unknown_setting_refuses_to_start_and_names_itself(variable, value):
    with pytest.raises(SettingsInvalid, match=variable):
        Settings.from_environment({variable: value})


def test_other_variables_are_not_ours_to_judge():
    assert Settings.from_environment({"PATH": "/bin", "teken_home": "x"}) == Settings()


def test_settings_do_not_change_afterwards():
    with pytest.raises(Exception, match="frozen"):
        Settings().lease_seconds = 1


def test_an_unknown_failpoint_is_refused():
    with pytest.raises(ValueError, match="unknown failpoint"):
        failpoints.arm("somewhere:1")
