from __future__ import annotations

import logging

import pytest

from certs.make_dev_pki import make_dev_pki
from tests.signing.softhsm import SoftHsm, make_token
from tests.signing.world import FLOWS, Issued, Pki, issue

PEOPLE = [("kepala", "Kepala Dinas"), ("orang-lain", "Orang Lain")]
SEALS = [("segel", "DPMPTSP")]


@pytest.fixture(scope="session", autouse=True)
def _quiet_validator():
    """pyHanko logs every chain that does not end at an anchor, with a traceback; here that is expected."""
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def pkis(tmp_path_factory) -> dict[str, Pki]:
    made = {}
    for kind in ("rsa2048", "p256"):
        folder = tmp_path_factory.mktemp(kind)
        make_dev_pki(folder, PEOPLE, SEALS, key=kind)
        made[kind] = Pki(folder)
    return made


@pytest.fixture(scope="session")
def pki(pkis) -> Pki:
    return pkis["p256"]


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory, pkis) -> SoftHsm:
    return make_token(tmp_path_factory.mktemp("softhsm"), pkis)


@pytest.fixture(scope="session")
def impostor(tmp_path_factory) -> Pki:
    """Another CA with exactly our names: what the recipe makes in another folder."""
    folder = tmp_path_factory.mktemp("impostor")
    make_dev_pki(folder, PEOPLE, SEALS, key="p256")
    return Pki(folder)


@pytest.fixture(scope="session", params=list(FLOWS))
def issued(request, pki) -> Issued:
    return issue(request.param, pki)


@pytest.fixture(scope="session")
def number_after(pki) -> Issued:
    return issue("number_after", pki)
