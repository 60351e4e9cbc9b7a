"""BSrE's Esign Client Service, API v2: whole documents go out and come back. Nobody can reach it from a desk.

Written from what integrators report, not from its manual; `service/simulate/bsre` plays the same reports, and its page says
which of them are unverified. A document is dispatched once. What comes back is a `Returned`.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pikepdf

from signing.backends import Capabilities
from signing.backends.bsreanswers import (
    AccountStatus,
    Verified,
    account_status,
    files,
    matched,
    refusal,
    status_code,
    verified,
)
from signing.backends.documents import Look, Order, Passphrase, Result, Returned, Secret, Totp
from signing.backends.picture import picture, size
from signing.backends.wire import Answer, Wire
from signing.errors import KeyUnusable, SigningError, SigningFailed, translated

CAPABILITIES: Final = Capabilities(
    prepared_field=False, certify=False, vector_appearance=False, seal_last=False, batch=True, look_up=False
)
_LOOK_UP_SECONDS: Final = 15.0
_ENDS_THE_CALL: Final = {
    "passphrase_wrong",
    "totp_wrong",
    "not_registered",
    "login_refused",
    "service_unreachable",
    "service_busy",
    "outcome_unknown",
}


@dataclass(frozen=True, slots=True)
class Signer:
    """A person's account: `nik` or `email`. Kept out of logs and errors."""

    nik: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if bool(self.nik) == bool(self.email):
            raise KeyUnusable("not_registered", "give a NIK or an e-mail address")

    @property
    def account(self) -> dict[str, Any]:
        return {"nik": self.nik} if self.nik else {"email": self.email}


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution's seal, by its subscription."""

    subscription: str = field(repr=False)

    @property
    def account(self) -> dict[str, Any]:
        return {"idSubscriber": self.subscription}


@dataclass(frozen=True, slots=True)
class BsreBackend:
    """See `DocumentBackend`. `chunk` is how many documents go into one request, once the first has proven the secret.

    `origin` says where the service counts `originY` from; integrators disagree, so it is calibrated on the real service.
    """

    wire: Wire
    who: Signer | Institution
    origin: Literal["top", "bottom"] = "bottom"
    chunk: int = 10

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def status(self) -> AccountStatus:
        """The signer's account at the service; `active` before anything is signed."""
        answer = self.wire.ask("/api/v2/user/check/status", self.who.account, seconds=_LOOK_UP_SECONDS)
        return account_status(answer)

    def request_totp(self, documents: int, code: str = "") -> str | None:
        """Ask for a one-time code for so many documents; None: the service sends it to the signer. A seal gives its `code`."""
        path = "/api/v2/seal/get/totp" if isinstance(self.who, Institution) else "/api/v2/sign/get/totp"
        answer = self._once(path, {**self.who.account, **({"totp": code} if code else {}), "data": documents})
        return str(answer["totp"]) if answer.get("totp") else None

    def activate_seal(self, code: str = "") -> tuple[str, str]:
        """Open or refresh the seal's activation. Returns the code that asks for further codes, and its expiry as told."""
        body = {**self.who.account, **({"totp": code} if code else {})}
        answer = self._once("/api/v2/seal/get/activation", body)
        return str(answer.get("totp", "")), str(answer.get("expires", ""))

    def verify(self, pdf: bytes) -> Verified:
        """The service's own opinion of a file."""
        return verified(self.wire.ask("/api/v2/verify/pdf", {"file": _text(pdf)}))

    def sign_document(self, order: Order, secret: Secret) -> Returned:
        """Sign one document, dispatched at most once.

        Raises KeyUnusable: passphrase_wrong, totp_wrong, not_registered, account_inactive; SigningFailed: service_*,
        login_refused, outcome_unknown.
        """
        (result,) = self.sign_documents([order], secret)
        if result.returned is None:
            raise result.error or SigningFailed("service_unclear")
        return result.returned

    def sign_documents(self, orders: Sequence[Order], secret: Secret) -> tuple[Result, ...]:
        """Look up the account (waiting while the service is busy), then send each chunk once.

        What ends the call leaves the rest `not_dispatched`.
        """
        results: list[Result] = []
        try:
            self.check_account()
            for order in orders:
                self._properties(order)
        except SigningError as error:
            return tuple(Result(error=error) for _ in orders)
        start = 0
        while start < len(orders) and not _ended(results):
            end = min(len(orders), start + (self.chunk if start else 1))
            results += self.send(orders[start:end], secret)
            start = end
        return (*results, *[Result(error=SigningFailed("not_dispatched"))] * (len(orders) - start))

    def check_account(self) -> None:
        """Ask, before anything leaves, whether this person can sign; waits while the service is busy. A seal has no such question.

        Raises KeyUnusable: not_registered, account_inactive; SigningFailed: service_*, login_refused.
        """
        if isinstance(self.who, Institution):
            return
        status = self.status()
        if status == "not_registered":
            raise KeyUnusable("not_registered")
        if status != "active":
            raise KeyUnusable("account_inactive", status)

    def send(self, orders: Sequence[Order], secret: Secret) -> tuple[Result, ...]:
        """Send all in one request, exactly once; one result per order, in order. Never raises for what the service does."""
        try:
            properties = [self._properties(order) for order in orders]
        except SigningError as error:
            return tuple(Result(error=error) for _ in orders)
        body = {
            **self.who.account,
            **_secret(secret),
            "signatureProperties": properties,
            "file": [_text(order.pdf) for order in orders],
        }
        path = "/api/v2/seal/pdf" if isinstance(self.who, Institution) else "/api/v2/sign/pdf"
        try:
            answer = self.wire.dispatch(path, body)
        except SigningError as error:
            return tuple(Result(error=error) for _ in orders)
        return self._results(orders, answer, totp=isinstance(secret, Totp))

    def _results(self, orders: Sequence[Order], answer: Answer, *, totp: bool) -> tuple[Result, ...]:
        """A file counts whatever the status beside it: it is looked at by `accept_returned` and nowhere else."""
        returned = files(answer)
        if returned is None:
            error = refusal(answer, totp=totp)
            return tuple(Result(error=error) for _ in orders)
        return matched(orders, returned)

    def _once(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """For codes: not repeated, since each request may send one to a person."""
        answer = self.wire.dispatch(path, body)
        if not isinstance(answer.json, dict) or answer.status != 200 or status_code(answer.json) not in {None, 200}:  # noqa: PLR2004  # HTTP
            raise refusal(answer, totp=True)
        return answer.json

    def _properties(self, order: Order) -> dict[str, Any]:
        """`signatureProperties` of one document; the picture is never left out, which some builds answer with 500."""
        words = {"reason": order.reason, "location": order.location, "imageBase64": _text(picture(order.look))}
        if order.look is None:
            return {**words, "tampilan": "INVISIBLE"}
        width, height = size(order.look)
        left, bottom, _, top = order.look.box
        y = _page_height(order.pdf, order.look) - top if self.origin == "top" else bottom
        place = {"page": order.look.page, "originX": left, "originY": y, "width": float(width), "height": float(height)}
        return {**words, "tampilan": "VISIBLE", **place}


def _ended(results: list[Result]) -> bool:
    return any(result.error is not None and result.error.code in _ENDS_THE_CALL for result in results)


def _secret(secret: Secret) -> dict[str, str]:
    return {"passphrase" if isinstance(secret, Passphrase) else "totp": secret.text}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _page_height(pdf: bytes, look: Look) -> float:
    with translated(SigningFailed, "spec_invalid"), pikepdf.open(io.BytesIO(pdf)) as document:
        box = document.pages[look.page - 1].mediabox
        return float(box[3]) - float(box[1])
