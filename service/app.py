"""The web application: faces over one Teken, with one way of telling errors and one set of headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from service.errors import Busy
from service.logs import log_to_stderr
from service.settings import Settings
from service.store import StoreBusy
from service.web import (
    about,
    api,
    check,
    desk,
    headers,
    holder,
    limits,
    metrics,
    problems,
    qr,
    report,
    verify,
    webhooks,
    wellknown,
)
from service.web.templating import Words
from service.wiring import open_teken

if TYPE_CHECKING:
    from flask import Response
    from flask.json.provider import DefaultJSONProvider

    from service.wiring import Teken

MOST_BYTES = 16_000_000
"""Nothing that any face reads is larger; each view sets its own, lower limit."""


def create_app(teken: Teken) -> Flask:
    """Return the WSGI application over this Teken."""
    app = Flask("service.web", static_folder=None)
    app.jinja_environment = Words
    app.extensions["teken"] = teken
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    cast("DefaultJSONProvider", app.json).sort_keys = False  # an example reads in its own order
    metrics.register(app)
    headers.register(app)
    problems.register(app)
    limits.register(app, teken)
    app.register_error_handler(StoreBusy, _busy)
    if (
        hops := teken.settings.trusted_proxies
    ) > 0:  # so many proxies of ours told who asks, by which name, over HTTPS or not
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.register_blueprint(api.api)
    app.register_blueprint(webhooks.webhooks)
    app.register_blueprint(about.about)
    app.register_blueprint(verify.verify)
    app.register_blueprint(qr.qr)
    app.register_blueprint(check.check)
    app.register_blueprint(report.report)
    app.register_blueprint(wellknown.wellknown)
    app.register_blueprint(metrics.metrics)
    app.register_blueprint(desk.desk)
    app.register_blueprint(holder.holder)
    return app


def from_environment() -> Flask:
    """Return the application for a WSGI server: see `service/webserver.py`."""
    settings = Settings.from_environment()
    log_to_stderr(settings.log, "web")
    teken = open_teken(settings)
    app = create_app(teken)
    app.extensions["checks"].prepare()  # in the process that serves: the first file waits no longer than others
    return app


def _busy(_error: StoreBusy) -> Response:
    return problems.told(Busy(retry_after=5))
