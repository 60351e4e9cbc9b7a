"""How the web server runs, everywhere alike: `gunicorn -c python:service.webserver "service.app:from_environment()"`.

gunicorn reads the names below (docs.gunicorn.org, "Settings"). There is no access log unless `--access-logfile` asks for one,
and then it holds routes instead of addresses: a code in an address opens personal data.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from functools import cache
from logging import Formatter, LogRecord
from typing import Any, Final

from gunicorn.glogging import Logger

from service import countplace
from service.inbox import LINE_BYTES
from service.logs import JSON, json_line
from service.settings import Settings, SettingsInvalid
from service.web.headers import PERMIT, REQUEST, RULE
from service.web.sources import source

SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Decides how `prometheus_client` counts, when a process first imports it."""


class RouteLog(Logger):  # type: ignore[misc]
    """An access log without addresses, queries, headers and whole IP addresses, whatever format is asked for."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:  # noqa: ARG002 - headers of the request are not for the log
        """Return what a line may hold."""
        known = super().atoms(resp, [], environ, request_time)
        kept = {name: known[name] for name in ("t", "s", "m", "H", "b", "B", "T", "D", "M", "L", "p")}
        rule = environ.get(RULE, "-")
        told = {"h": source(environ.get("REMOTE_ADDR")).network, "U": rule, "r": f"{known['m']} {rule} {known['H']}"}
        told |= {"i": environ.get(REQUEST, "-"), "P": environ.get(PERMIT, "-")}
        return kept | told | dict.fromkeys(("l", "u", "q", "f", "a"), "-")

    def setup(self, cfg: Any) -> None:
        """Write the server's own lines in the form of all others."""
        super().setup(cfg)
        if _wanted() == JSON:
            for handler in self.error_log.handlers:
                handler.setFormatter(_JsonLines())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Write one line, as JSON where that is wanted."""
        if _wanted() != JSON or not self.access_log_enabled:
            super().access(resp, req, environ, request_time)
            return
        known = self.atoms(resp, req, environ, request_time)
        names = {"request_id": "i", "permit": "P", "method": "m", "route": "U", "network": "h", "bytes": "B"}
        line = {name: known[atom] for name, atom in names.items() if known[atom] != "-"}
        line |= {"status": int(known["s"]), "seconds": request_time.total_seconds()}
        self.access_log.info("%s", json_line({**line, **_stamped("request", "info")}))


class _JsonLines(Formatter):
    """gunicorn's messages, of which none holds an address (`service.gathering` sees to that)."""

    def format(self, record: LogRecord) -> str:
        """Return the line; of an exception its kind alone."""
        failed = {"error": record.exc_info[0].__qualname__} if record.exc_info and record.exc_info[0] else {}
        told = _stamped("webserver", record.levelname.lower())
        return json_line({"said": record.getMessage(), **failed, **told})


def _stamped(event: str, level: str) -> dict[str, str]:
    return {"event": event, "level": level, "process": "web", "timestamp": datetime.now(UTC).isoformat()}


@cache
def _wanted() -> str:
    """Which form the settings ask for; wrong ones are refused in words by the application."""
    try:
        return Settings.from_environment().log
    except SettingsInvalid:
        return "text"


bind = "127.0.0.1:8000"
worker_class = "service.gathering.GatheringWorker"
workers, threads = 1, 8
worker_connections = 512
limit_request_line = LINE_BYTES
limit_request_fields, limit_request_field_size = 64, 8_190
keepalive = 5
timeout, graceful_timeout = 60, 30
loglevel = "warning"
logger_class = RouteLog
access_log_format = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(B)s %(D)s %(i)s %(P)s'
control_socket_disable = True
forwarded_allow_ips = ""  # the application itself believes proxies, and only so many (TEKEN_TRUSTED_PROXIES)


def on_starting(_server: Any) -> None:
    """Make the folder in which this server's processes count together; who only reads this module gets none."""
    countplace.sweep()
    os.environ[SHARED] = str(countplace.fresh())


def child_exit(_server: Any, worker: Any) -> None:
    """A process that ended counts nothing any more; what it has counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ.pop(SHARED, ""), ignore_errors=True)
