"""One logged-in session per PKCS#11 token and process. Every call to a token goes through here, one at a time.

The rules come from experience with PKCS#11 2.40 modules: threads and forks crash them, login belongs to the whole process
and not to a session, and a wrong PIN counts. So: one lock, one session, the process that opened it, and no second try.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import pkcs11
from pkcs11 import exceptions as refused

from signing.errors import KeyUnusable, SigningError, SigningFailed

_Result = TypeVar("_Result")

_ONE_AT_A_TIME: Final = threading.RLock()
_OPEN: Final[dict[tuple[str, str], OpenToken]] = {}
_REFUSED_PINS: Final[set[bytes]] = set()
_SALT: Final = secrets.token_bytes(32)
_PIN_IS_WRONG: Final = (refused.PinIncorrect, refused.PinInvalid, refused.PinLenRange)
_AWAY: Final = (refused.TokenNotPresent, refused.TokenNotRecognised, refused.DeviceRemoved, refused.SlotIDInvalid)
_PIN_FLAGS: Final[tuple[tuple[pkcs11.TokenFlag, Literal["low", "final", "locked"]], ...]] = (
    (pkcs11.TokenFlag.USER_PIN_LOCKED, "locked"),
    (pkcs11.TokenFlag.USER_PIN_FINAL_TRY, "final"),
    (pkcs11.TokenFlag.USER_PIN_COUNT_LOW, "low"),
)
_SESSION_ENDED: Final = (
    *_AWAY,
    refused.SessionHandleInvalid,
    refused.SessionClosed,
    refused.UserNotLoggedIn,
    refused.KeyHandleInvalid,
    refused.ObjectHandleInvalid,
)


def open_token(module: Path, label: str, pin: bytes | bytearray) -> OpenToken:
    """Log in to the one token of that label, or share the session that this process has.

    Raises KeyUnusable: module_missing, token_missing, pin_wrong, pin_locked; SigningFailed backend_failed.
    """
    with _ONE_AT_A_TIME:
        token = _OPEN.get((str(module), label)) or OpenToken(module, label)
        token.log_in(pin)
        _OPEN[str(module), label] = token
        return token


@dataclass(frozen=True, slots=True)
class TokenState:
    """What a token says of itself before anybody logs in. `low`: a wrong PIN since the last right one; `final`: one try is left."""

    serial: str
    pin: Literal["fine", "low", "final", "locked"]


def look_at_token(module: Path, label: str) -> TokenState:
    """Read the flags of the one token of that label; no PIN is used. Raises KeyUnusable: module_missing, token_missing."""
    with _ONE_AT_A_TIME, _told():
        token = OpenToken(module, label).find()
        known = [(flag, name) for flag, name in _PIN_FLAGS if flag in token.flags]
        return TokenState(token.serial.decode("ascii", "replace").strip(), known[0][1] if known else "fine")


def token_labels(module: Path) -> tuple[str, ...]:
    """The labels of all tokens that are plugged in. Raises KeyUnusable module_missing."""
    with _ONE_AT_A_TIME, _told():
        return tuple(sorted(token.label for token in _tokens(_library(str(module)))))


class OpenToken:
    """A token of this process. Holds the PIN until `forget`, to log in again when the token was taken out and put back."""

    def __init__(self, module: Path, label: str) -> None:
        self._module, self._label = str(module), label
        self._process = os.getpid()
        self._session: pkcs11.Session | None = None
        self._serial: bytes | None = None
        self._pin: bytearray | None = None
        self._users = 0

    def __repr__(self) -> str:
        return f"OpenToken({self._label!r}, {'open' if self._session else 'closed'})"

    def __reduce__(self) -> str:
        raise TypeError("a token's session is never pickled")

    def log_in(self, pin: bytes | bytearray) -> None:
        """Log in, unless this very PIN has done so. A PIN that was refused never reaches a token again."""
        with _ONE_AT_A_TIME, _told():
            self._check_process()
            if self._session and self._pin is not None:
                if not hmac.compare_digest(self._pin, pin):
                    raise KeyUnusable("pin_wrong", "the token is open with another PIN")
                return
            self.close()
            self._open(pin)

    def lend(self) -> None:
        """One key more is in use."""
        self._users += 1

    def release(self) -> None:
        """One key less is in use; after the last one the token is logged out."""
        self._users -= 1
        if self._users <= 0:
            self._users = 0
            self.close()

    def forget(self) -> None:
        """Drop the PIN. The session goes on until it ends for whatever reason; then the PIN has to be asked for."""
        if self._pin is not None:
            self._pin[:] = bytes(len(self._pin))
        self._pin = None

    def close(self) -> None:
        """Log out and drop the PIN."""
        with _ONE_AT_A_TIME, suppress(pkcs11.PKCS11Error):
            self._check_process()
            self.forget()
            session, self._session = self._session, None
            if session:
                session.close()

    def use(self, work: Callable[[pkcs11.Session, str | None], _Result]) -> _Result:
        """Run `work(session, pin)` alone; once more if the session had ended and the token can be opened again.

        `pin` is for keys that want it for every signature. Raises KeyUnusable, SigningFailed backend_failed.
        """
        with _ONE_AT_A_TIME, _told():
            self._check_process()
            try:
                return self._use(work)
            except _PIN_IS_WRONG:
                if self._serial is not None and self._pin is not None:
                    self._refuse_pin(self._serial, self._pin)
                raise

    def _use(self, work: Callable[[pkcs11.Session, str | None], _Result]) -> _Result:
        session = self._session or self._open_again()
        try:
            return work(session, _text(self._pin))
        except _SESSION_ENDED:
            return work(self._open_again(), _text(self._pin))

    def _open_again(self) -> pkcs11.Session:
        """A new session by the PIN that opened the last one."""
        self._session = None
        if self._pin is None:
            raise KeyUnusable("pin_needed", self._label)
        return self._open(self._pin)

    def _open(self, pin: bytes | bytearray) -> pkcs11.Session:
        proven, token = pin is self._pin, self.find()
        if _mark(token.serial, pin) in _REFUSED_PINS:
            self.forget()
            raise KeyUnusable("pin_wrong", "this PIN was refused before")
        if pkcs11.TokenFlag.USER_PIN_LOCKED in token.flags:
            raise KeyUnusable("pin_locked", self._label)
        try:
            self._session = token.open(user_pin=_text(pin))
        except refused.UserAlreadyLoggedIn:
            if not proven:  # whose login that is, nobody knows; this PIN has not been asked for
                raise
            self._session = token.open()
        except _PIN_IS_WRONG:
            self._refuse_pin(token.serial, pin)
            raise
        self._pin, self._serial = self._pin if proven else bytearray(pin), token.serial
        return self._session

    def find(self) -> pkcs11.Token:
        """The one token of our label; and after the first time the same piece: a PIN is for no other."""
        found = [token for token in _tokens(_library(self._module)) if token.label == self._label]
        if self._serial is not None:
            found = [token for token in found if token.serial == self._serial]
        if len(found) != 1:
            raise KeyUnusable("token_missing", f"{len(found)} of {self._label}")
        return found[0]

    def _refuse_pin(self, serial: bytes, pin: bytes | bytearray) -> None:
        _REFUSED_PINS.add(_mark(serial, pin))
        self.forget()
        self._session = None

    def _check_process(self) -> None:
        """A session that crossed a fork is undefined (PKCS#11 2.40, 6.6.1): it is not touched, not even to close it."""
        if os.getpid() != self._process:
            raise SigningFailed("backend_failed", "the token was opened by another process")


def _library(module: str) -> Any:
    try:
        return pkcs11.lib(module)
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as foreign:
        raise KeyUnusable("module_missing", type(foreign).__name__) from None


def _tokens(module: Any) -> Iterator[pkcs11.Token]:
    for slot in module.get_slots(token_present=True):
        with suppress(*_AWAY):
            yield slot.get_token()


def _mark(serial: bytes, pin: bytes | bytearray) -> bytes:
    """A refused PIN as this process remembers it: useless outside it."""
    return hmac.digest(_SALT, serial + b"\0" + pin, "sha256")


def _text(pin: bytes | bytearray | None) -> str | None:
    return None if pin is None else pin.decode("utf-8")


@contextmanager
def _told() -> Iterator[None]:
    """The module's errors in our words; never their text."""
    try:
        yield
    except SigningError:
        raise
    except _PIN_IS_WRONG:
        raise KeyUnusable("pin_wrong") from None
    except refused.PinLocked:
        raise KeyUnusable("pin_locked") from None
    except _AWAY as away:
        raise KeyUnusable("token_missing", type(away).__name__) from None
    except Exception as foreign:  # noqa: BLE001  # PKCS11Error, and whatever a module makes its binding raise
        raise SigningFailed("backend_failed", type(foreign).__name__) from None
