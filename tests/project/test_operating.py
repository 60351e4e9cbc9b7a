"""What docs/operating/ gives to copy works as it is given: units of systemd, nginx, settings by host."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.app import MOST_BYTES as ANYTHING
from service.inbox import BODY_SECONDS, HEAD_SECONDS, LINE_BYTES
from service.settings import PREFIX, PROJECT, Settings
from service.store.postgres import ANSWER_SECONDS
from service.verification import MOST_BYTES as A_FILE
from service.web.uploads import _AROUND_A_FILE
from tests.support.servers import free_port
from tests.support.tls import self_signed

OPERATING = PROJECT / "docs" / "operating"
UNITS = sorted((OPERATING / "systemd").glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "LimitCORE": "0",
    "Restart": "always",
    "CapabilityBoundingSet": "",
    "UMask": "0027",
}


def unit(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read_string(path.read_text())
    return parsed


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_each_unit_has_its_own_user_and_little_room(path):
    service = unit(path)["Service"]
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert service["User"] == path.stem.removesuffix("@")
    assert int(service["CPUWeight"]) > 0
    assert service["StateDirectory"] == service["User"]
    assert not re.search(r"(?i)passphrase|password|secret", path.read_text().partition("[Service]")[2])


def test_the_web_process_comes_before_workers_and_no_two_share_a_user():
    weight = {path.stem: int(unit(path)["Service"]["CPUWeight"]) for path in UNITS}
    assert weight["teken-web"] > weight["teken-sign"] > weight["teken-work@"]
    assert len({unit(path)["Service"]["User"] for path in UNITS}) == len(UNITS) == 3


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this system is started by something else than systemd")
def test_systemd_understands_each_unit(tmp_path):
    for path in UNITS:
        text = path.read_text().replace("/opt/teken/.venv/bin/python", sys.executable)
        (tmp_path / path.name.replace("@", "@1")).write_text(text)
    asked = ["systemd-analyze", "verify", "--recursive-errors=no", *sorted(map(str, tmp_path.iterdir()))]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    ours = [line for line in (said.stdout + said.stderr).splitlines() if "teken-" in line]
    assert (said.returncode, ours) == (0, []), said.stderr


def test_each_setting_that_the_guide_names_is_one():
    named = {
        word
        for path in OPERATING.rglob("*")
        if path.is_file()
        for word in re.findall(r"\bTEKEN_[A-Z_]+\b", path.read_text())
    }
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert {one for one in named if not one.endswith("_")} <= known


# nginx


@pytest.fixture
def nginx(tmp_path):
    """The example as it stands, but for addresses, ports and folders; behind it a service that tells what it is asked."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is not installed: apt-get install nginx-light"
    port, plain, upstream = free_port(), free_port(), ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=upstream.serve_forever, args=(0.01,), daemon=True).start()
    self_signed(tmp_path, "127.0.0.1")
    proxied = tmp_path / "teken-proxy.conf"
    proxied.write_text((OPERATING / "nginx" / "teken-proxy.conf").read_text())
    site = (OPERATING / "nginx" / "teken.conf").read_text()
    for given, ours in (
        ("/etc/nginx/teken-proxy.conf", str(proxied)),
        ("/etc/letsencrypt/live/izin.contoh.go.id", str(tmp_path)),
        ("/var/log/nginx", str(tmp_path)),
        ("10.0.0.21:8000", f"127.0.0.1:{upstream.server_port}"),
        ("10.0.0.22:8000", f"127.0.0.1:{upstream.server_port} backup"),
        ("listen 443 ssl http2", f"listen 127.0.0.1:{port} ssl http2"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
    ):
        assert given in site, given
        site = site.replace(given, ours)
    site = re.sub(r"\n  listen \[::\].*", "", site)
    (tmp_path / "site.conf").write_text(site)
    folders = "".join(
        f"  {kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whoever = "user root;\n" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{whoever}pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\nevents {{}}\nhttp {{\n{folders}  include {tmp_path}/site.conf;\n}}\n"
    )
    command = [program, "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "log"]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr
    subprocess.run(command, check=True, capture_output=True)
    yield f"127.0.0.1:{port}", tmp_path / "fullchain.pem"
    subprocess.run([*command, "-s", "stop"], check=True, capture_output=True)
    upstream.shutdown()
    upstream.server_close()


def test_nginx_takes_the_example_and_believes_no_visitor(nginx):
    said, _ = asked(
        nginx, "/V/ABC", {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "palsu.example", "Forwarded": "for=6.6.6.6"}
    )
    lines = said.lower()
    assert "x-forwarded-for: 127.0.0.1" in lines
    assert "x-forwarded-proto: https" in lines
    assert "6.6.6.6" not in lines
    assert "palsu" not in lines


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_nginx_keeps_the_operators_pages_from_the_world(nginx, path):
    assert asked(nginx, path)[1] == 404


def test_nginx_says_at_once_that_a_body_is_too_large(nginx):
    assert asked(nginx, "/api/v1/cases", body=b"x" * (ANYTHING + 1))[1] == 413
    said, status = asked(nginx, "/api/v1/verify", body=b"x" * (ANYTHING + 1))
    assert (status, f"content-length: {ANYTHING + 1}" in said.lower()) == (200, True)


def test_nginx_has_the_limits_of_the_service():
    site = (OPERATING / "nginx" / "teken.conf").read_text()
    proxied = (OPERATING / "nginx" / "teken-proxy.conf").read_text()
    assert {int(one) for one in re.findall(r"client_max_body_size\s+(\d+);", site)} == {
        ANYTHING,
        A_FILE + _AROUND_A_FILE,
    }
    assert f"buffers 4 {LINE_BYTES};" in site
    assert float(re.search(r"client_header_timeout\s+(\d+)s", site)[1]) == HEAD_SECONDS
    assert float(re.search(r"client_body_timeout\s+(\d+)s", site)[1]) == BODY_SECONDS
    assert int(re.search(r"proxy_read_timeout\s+(\d+)s", proxied)[1]) > ANSWER_SECONDS


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        left = int(self.headers.get("Content-Length", 0))
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        said = str(self.headers).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET  # noqa: N815 - the base class's name

    def log_message(self, *_):
        pass


def asked(nginx, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> tuple[str, int]:
    import ssl

    address, certificate = nginx
    trust = ssl.create_default_context(cafile=str(certificate))
    given = urllib.request.Request(f"https://{address}{path}", body, {"Host": "izin.contoh.go.id", **(headers or {})})
    try:
        with urllib.request.urlopen(given, timeout=60, context=trust) as answer:
            return answer.read().decode(), answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.read().decode(), refused.code
