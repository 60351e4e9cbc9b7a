"""PKCS#11 tokens. Their flags are read first, and a PIN that may lock a token is never tried; any PIN at most once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from service.doctor.certificates import enrolled_sha256
from service.doctor.findings import Note, State, fault, unknown, warning, well
from service.doctor.keyfiles import is_asked_for, pem_sha256, pin_file
from service.errors import TekenError
from service.keys import file_name, give_up, is_seal
from service.openers import in_token
from signing import KeyUnusable, SigningError
from signing.backends.token import look_at_token, token_labels

if TYPE_CHECKING:
    from service.doctor.view import View
    from service.host import Token

_ENDS_IT: Final = {"pin_wrong", "pin_locked"}


def look_at_tokens(view: View) -> Iterator[Note]:
    """The people's token and the seals', then the keys in it of whoever signs or seals with it."""
    owners = view.owners_by("pkcs11") if view.signs_here else []
    token = view.host.pkcs11 if owners else None
    if owners and token is None:
        yield fault("backend_not_set_up", "pkcs11", owners=", ".join(owners))
    if token is None:
        return
    by_label: dict[str, list[str]] = {}
    for owner in owners:
        by_label.setdefault(_label(token, owner), []).append(owner)
    for label, inside in by_label.items():
        seen = _token(token, label)
        yield seen
        if len({is_seal(owner) for owner in inside}) > 1:
            yield warning("token_shared", label)
        if seen.state is State.OK:
            yield from _keys(view, token, inside)


def _label(token: Token, owner: str) -> str:
    return token.seal_token or token.token if is_seal(owner) else token.token


def _token(token: Token, label: str) -> Note:
    try:
        state = look_at_token(token.module, label)
    except KeyUnusable as missing:
        if missing.code == "module_missing":
            return fault("module_missing", str(token.module))
        return fault("token_missing", label, labels=", ".join(token_labels(token.module)) or "-")
    if state.pin == "fine":
        return well("token_fine", label)
    told = warning if state.pin == "low" else fault
    return told(f"pin_{state.pin}", label)


def _keys(view: View, token: Token, owners: list[str]) -> Iterator[Note]:
    """After one refusal no further PIN goes to the token: it counts them, whosever they are."""
    refused = False
    for owner in owners:
        note = _key(view, token, owner)
        if note.state is State.OK and is_asked_for(view, owner):
            note = unknown("pin_not_tried", owner) if refused else _opened(view, token, owner)
            refused = refused or note.code in _ENDS_IT
        yield note


def _key(view: View, token: Token, owner: str) -> Note:
    """What can be seen of a key without a PIN."""
    file = token.certificates / f"{file_name(owner)}.cert.pem"
    if not file.is_file():
        return fault("token_certificate_missing", owner, file=str(file))
    sha256 = enrolled_sha256(view, owner)
    if not sha256:
        return unknown("key_without_certificate", owner)
    if pem_sha256(file) != sha256:
        return fault("key_differs", owner, file=str(file))
    secret = pin_file(token.pins, owner)
    if is_seal(owner) and not secret.is_file():
        return fault("secret_missing", owner, file=str(secret))
    return well("token_key_seen", owner)


def _opened(view: View, token: Token, owner: str) -> Note:
    """Log in once, and look whether the private key is there."""
    typed = view.asked.passphrase if owner == view.asked.official else None
    try:
        give_up(in_token(token, owner, enrolled_sha256(view, owner), typed))
    except (TekenError, SigningError) as failed:
        return fault(failed.code, owner, file=_label(token, owner))
    return well("key_opens", owner)
