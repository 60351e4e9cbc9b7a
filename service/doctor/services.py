"""Services that sign: BSrE's Esign Client Service and CSC services. Asked what may be asked without a secret of a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from service.doctor.certificates import enrolled_sha256
from service.doctor.elsewhere import shown, take_reading
from service.doctor.findings import Note, fault, unknown, warning, well, words
from service.doctor.keyfiles import pin_file
from service.host import HostInvalid, read_host
from service.keys import KeyDiffers, KeyMissing, give_up, is_seal
from service.openers import at_bsre, at_csc
from signing import SigningError

if TYPE_CHECKING:
    from service.doctor.view import View
    from service.host import Bsre, Csc

_LOGIN: Final = {"HTTP 401", "HTTP 403"}
_OF_THE_SERVICE: Final = {"service_unreachable", "service_busy", "service_unclear", "login_refused", "backend_failed"}


def look_at_host(view: View) -> Iterator[Note]:
    """The signing host's own file."""
    path = view.settings.signing_host
    if path is None:
        return
    try:
        read_host(path)
    except HostInvalid as invalid:
        yield fault("host_invalid", str(path), why=in_our_words(str(invalid).removeprefix(f"{path}: ")))
    else:
        yield well("host_fine", str(path))


def in_our_words(why: str) -> str:
    """Return what is wrong with a host's own file as its operator reads it."""
    for theirs, ours in words()["reason"].items():
        why = why.replace(theirs, ours)
    return why


def look_at_csc(view: View) -> Iterator[Note]:
    """Each owner's credential: that the service knows it and that its certificate is the enrolled one."""
    owners = view.owners_by("csc") if view.signs_here else []
    if not owners:
        return
    csc = view.host.csc
    if csc is None:
        yield fault("backend_not_set_up", "csc", owners=", ".join(owners))
        return
    take_reading(view, csc.url)
    for owner in owners:
        note = _credential(view, csc, owner)
        yield note
        if note.code in _OF_THE_SERVICE:  # it is the same for all others
            return


def _credential(view: View, csc: Csc, owner: str) -> Note:
    sha256, secret = enrolled_sha256(view, owner), pin_file(csc.pins, owner)
    if not sha256:
        return unknown("key_without_certificate", owner)
    if is_seal(owner) and not secret.is_file():
        return fault("secret_missing", owner, file=str(secret))
    return _opened(csc, owner, sha256) or well("credential_fine", owner)


def _opened(csc: Csc, owner: str, sha256: str) -> Note | None:
    """What is wrong when the service is asked for the credential."""
    try:
        give_up(at_csc(csc, owner, sha256, None))
    except KeyMissing:
        return fault("credential_missing", owner)
    except KeyDiffers:
        return fault("key_differs", owner, file=shown(csc.url))
    except SigningError as refused:
        return _refused(refused, shown(csc.url), owner)
    return None


def _refused(refused: SigningError, url: str, owner: str) -> Note:
    if refused.code == "service_refused":
        return fault("login_refused", url) if refused.detail in _LOGIN else fault("credential_unknown", owner, url=url)
    if refused.code in _OF_THE_SERVICE:
        return fault(refused.code, url)
    return fault(refused.code, owner, file=url)


def look_at_bsre(view: View) -> Iterator[Note]:
    """Each official's account; of a seal's subscription the service tells nothing before it seals."""
    owners = view.owners_by("bsre") if view.signs_here else []
    if not owners:
        return
    bsre = view.host.bsre
    if bsre is None:
        yield fault("backend_not_set_up", "bsre", owners=", ".join(owners))
        return
    take_reading(view, bsre.url, bsre.ca_file)
    for owner in owners:
        note = _account(bsre, owner)
        yield note
        if note.code in _OF_THE_SERVICE:
            return


def _account(bsre: Bsre, owner: str) -> Note:
    try:
        client = at_bsre(bsre, owner, "", bytearray()).client
        if is_seal(owner):
            return well("seal_account_given", owner)
        status = client.status()
    except KeyMissing:
        return fault("account_missing", owner)
    except SigningError as refused:
        return fault(refused.code, shown(bsre.url))
    if status == "active":
        return well("account_active", owner)
    told = warning if status == "unknown" else fault
    return told(f"account_{status}", owner)
