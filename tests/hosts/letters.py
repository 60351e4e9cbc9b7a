"""An upstream's receiver of webhooks, outside all hosts: it verifies each letter and keeps what came under which id."""

from __future__ import annotations

import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks.webhooks import Webhook

from service.webhooks import endpoints
from service.wiring import Teken
from tests.faults.oracle import Violation
from tests.hosts.network import HERE


class Letters:
    """`got`: by client, the distinct bodies that came under each id, and how often something came at all."""

    def __init__(self, certificates: Path) -> None:
        self.got: dict[str, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        self.sent = 0
        self.forged: list[str] = []
        self._secrets: dict[str, str] = {}
        self._lock = threading.Lock()
        letters = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                letters.take(self.path.strip("/"), dict(self.headers.items()), body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer((HERE, 0), Handler)
        self._server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificates / "fullchain.pem", certificates / "privkey.pem")
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def subscribe(self, teken: Teken, client: str) -> None:
        _, self._secrets[client] = endpoints.add(teken, client, f"https://{HERE}:{self._server.server_port}/{client}")

    def take(self, client: str, headers: dict[str, str], body: bytes) -> None:
        name = {key.lower(): value for key, value in headers.items()}
        try:
            Webhook(self._secrets[client]).verify(body, name)
        except Exception as error:
            self.forged.append(type(error).__name__)
        with self._lock:
            self.sent += 1
            self.got[client][name["webhook-id"]].add(body)

    def missing(self, feed: list[dict]) -> int:
        """How many events of the feed have not come yet."""
        return sum(1 for event in feed if event["id"] not in self.got[event["client"]])

    def judged(self, feed: list[dict]) -> Iterator[Violation]:
        """Each event of the feed came, under its id alone, with one content, signed by us; and nothing else did."""
        told = {(event["client"], event["id"]) for event in feed}
        for event in feed:
            bodies = self.got[event["client"]].get(event["id"], set())
            if len(bodies) != 1:
                yield Violation("I6", event["id"], f"{event['type']}: {len(bodies)} contents came as a webhook")
        for client, letters in self.got.items():
            yield from (Violation("I6", one, "no event of the feed") for one in letters if (client, one) not in told)
        yield from (Violation("I6", "webhook", f"a signature that does not hold: {one}") for one in self.forged)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
