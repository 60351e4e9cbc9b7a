"""From the chosen papers to signed ones: a last look, one passphrase, and each document's result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, request, url_for

from service import batch
from service.desk import codes, progress, selection
from service.errors import Conflict, Fault, Invalid, TekenError
from service.web import teken
from service.web.desk.page import page
from service.web.desk.routing import here, route, saw, secret_form
from service.web.desk.tray import SIGNER, cause_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response as AnyResponse

    from service.desk.tray import Item

_AGAIN = frozenset({"passphrase_unfit", "no_signer"})
"""Refusals before anything was ordered: the page is shown again, its field empty."""


@route("/ttd/periksa", SIGNER, methods=("POST",))
def choose_papers() -> AnyResponse:
    """Freeze the choice. Whoever signs what he has not opened says so in a sentence."""
    unread = request.form.get("pilihan") == "semua"
    if unread and request.form.get("sadar") != "ya":
        raise Invalid(faults=(Fault("/sadar", "sentence_unsaid"),))
    only_type, permit = request.form.get("jenis") or None, request.form.get("izin") or None
    chosen = selection.choose(teken(), here(), unread=unread, only_type=only_type, permit=permit)
    return redirect(url_for("desk.preflight", chosen=chosen), 303)


@route("/ttd/periksa/<chosen>", SIGNER)
def preflight(chosen: str) -> Response:
    """Tell what will be signed, what stays out and why, and ask for the passphrase."""
    saw("tray.preflight", selection=chosen)
    return _preflight(chosen)


@route("/ttd/periksa/<chosen>/kode", SIGNER, methods=("POST",))
def ask_code(chosen: str) -> AnyResponse:
    """Have the signing service send the head a one-time code for what he is about to sign."""
    found = selection.preflight(teken(), here(), chosen)
    codes.ask(teken(), here(), len(found.ready), found.selection.at)
    saw("tray.code_asked", selection=chosen)
    return redirect(url_for("desk.preflight", chosen=chosen, _anchor="kode"), 303)


@route("/ttd/batch/<batch_id>/kode", SIGNER, methods=("POST",))
def ask_code_again(batch_id: str) -> AnyResponse:
    """The same for what a batch has left."""
    now = progress.progress(teken(), here(), batch_id)
    codes.ask(teken(), here(), now.waiting or now.retryable, now.ended_at or now.opened_at)
    saw("tray.code_asked", batch=batch_id)
    return redirect(url_for("desk.show_batch", batch_id=batch_id, _anchor="kode"), 303)


@route("/ttd/tandatangani/<chosen>", SIGNER, methods=("GET", "POST"), secret=True)
def sign_papers(chosen: str) -> AnyResponse:
    """Open the batch with the passphrase that was typed."""
    if request.method == "GET":
        return redirect(url_for("desk.preflight", chosen=chosen), 303)
    try:
        opened = selection.sign(teken(), here(), chosen, secret_form().secret)
    except TekenError as refused:
        if refused.code not in _AGAIN:
            raise
        saw("tray.sign_refused", selection=chosen, cause=refused.code)
        return _preflight(chosen, status=refused.status, fault=refused.code)
    return redirect(url_for("desk.show_batch", batch_id=opened) if opened else url_for("desk.tray"), 303)


@route("/ttd/batch/<batch_id>", SIGNER)
def show_batch(batch_id: str) -> Response:
    """Show how a batch stands, and one page of its documents with one result."""
    return _shown(batch_id)


@route("/ttd/batch/<batch_id>/kemajuan", SIGNER)
def batch_progress(batch_id: str) -> Response:
    """Give the moving part of the page; when nothing moves any more the browser is told to load the page anew."""
    now = progress.progress(teken(), here(), batch_id)
    response = page(
        "tray_progress.html",
        batch=now,
        latest=progress.latest(teken(), batch_id),
        causes=cause_words,
        fragment=True,
        told=request.args.get("kabar", type=int),
    )
    if not now.going:
        response.headers["HX-Refresh"] = "true"
    return response


@route("/ttd/batch/<batch_id>/jeda", SIGNER, methods=("POST",))
def pause_batch(batch_id: str) -> AnyResponse:
    """Sign no further document for now."""
    return _acted(batch_id, "tray.paused", batch.pause)


@route("/ttd/batch/<batch_id>/hentikan", SIGNER, methods=("POST",))
def stop_batch(batch_id: str) -> AnyResponse:
    """Stop for good after the document at hand."""
    return _acted(batch_id, "tray.stopped", batch.stop_after_this)


@route("/ttd/batch/<batch_id>/lanjutkan", SIGNER, methods=("GET", "POST"), secret=True)
def resume_batch(batch_id: str) -> AnyResponse:
    """Go on with what waits."""
    return _again(batch_id, "tray.resumed", batch.resume)


@route("/ttd/batch/<batch_id>/ulangi", SIGNER, methods=("GET", "POST"), secret=True)
def retry_batch(batch_id: str) -> AnyResponse:
    """Try what failed again."""
    return _again(batch_id, "tray.retried", batch.retry_failed)


def _preflight(chosen: str, *, status: int = 200, fault: str | None = None) -> Response:
    found = selection.preflight(teken(), here(), chosen)
    left: dict[str, list[Item]] = {}
    for item, cause in found.left_out:
        left.setdefault(cause, []).append(item)
    types: dict[str, int] = {}
    for one in found.ready:
        title = one.bundle.permit_type.name
        types[title] = types.get(title, 0) + 1
    return page(
        "tray_preflight.html",
        status=status,
        found=found,
        left=left,
        types=types,
        fault=fault,
        causes=cause_words,
        typed=codes.typed(teken(), here(), found.selection.at),
    )


def _shown(batch_id: str, *, status: int = 200, fault: str | None = None) -> Response:
    now = progress.progress(teken(), here(), batch_id)
    wanted = request.args.get("hasil", "") or ("signed" if now.signed and not now.active else "")
    listed = (
        progress.listed(teken(), here(), batch_id, wanted, request.args.get("hal", 1, type=int)) if wanted else None
    )
    return page(
        "tray_batch.html",
        status=status,
        batch=now,
        latest=progress.latest(teken(), batch_id),
        wanted=wanted,
        listed=listed,
        fault=fault,
        causes=cause_words,
        typed=codes.typed(teken(), here(), now.ended_at or now.opened_at),
        fragment=False,
    )


def _acted(batch_id: str, action: str, act: Callable[..., object]) -> AnyResponse:
    """Do it; if the batch is past that by now, its page says where it stands."""
    try:
        act(teken(), here().account.official, batch_id)
    except Conflict as late:
        saw(action, batch=batch_id, cause=late.code)
    else:
        saw(action, batch=batch_id)
    return redirect(url_for("desk.show_batch", batch_id=batch_id), 303)


def _again(batch_id: str, action: str, act: Callable[..., object]) -> AnyResponse:
    if request.method == "GET":
        return redirect(url_for("desk.show_batch", batch_id=batch_id), 303)
    passphrase = secret_form().secret
    try:
        return _acted(batch_id, action, lambda teken, who, batch: act(teken, who, batch, passphrase))
    except TekenError as refused:
        if refused.code not in _AGAIN:
            raise
        saw(action, batch=batch_id, cause=refused.code)
        return _shown(batch_id, status=refused.status, fault=refused.code)
