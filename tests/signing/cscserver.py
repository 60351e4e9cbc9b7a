"""A small CSC service (API v1.0.4) on loopback: credentials/info, credentials/authorize, signatures/signHash, SCAL 2."""

from __future__ import annotations

import base64
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import pkcs12
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

CREDENTIAL, TOKEN, PIN, OTP = "kepala-contoh", "token-contoh", "8642", "975310"
MOST = 50


@dataclass
class CscServer:
    """`calls` counts requests by endpoint. Traits: `scrambles` signs another hash, `mute` never answers signHash."""

    key: object
    certificates: list[bytes]
    traits: frozenset[str]
    url: str = ""
    calls: list[str] = field(default_factory=list)
    sad: dict[str, list[str]] = field(default_factory=dict)
    silence: threading.Event = field(default_factory=threading.Event)
    """What `mute` waits for."""

    def app(self) -> Flask:
        app = Flask("csc")
        for path, view in (
            ("credentials/info", self.info),
            ("credentials/authorize", self.authorize),
            ("signatures/signHash", self.sign_hash),
        ):
            app.add_url_rule(f"/csc/v1/{path}", path, self.counted(path, view), methods=["POST"])
        return app

    def counted(self, path, view):
        def answer():
            self.calls.append(path)
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return jsonify(error="invalid_token"), 401
            return view(request.get_json())

        return answer

    def info(self, body):
        if body["credentialID"] != CREDENTIAL:
            return jsonify(error="invalid_request"), 400
        oid = "1.2.840.113549.1.1.11" if isinstance(self.key, rsa.RSAPrivateKey) else "1.2.840.10045.4.3.2"
        texts = [base64.b64encode(der).decode() for der in self.certificates]
        status = "disabled" if "disabled" in self.traits else "enabled"
        return jsonify(
            key={"status": status, "algo": [oid], "len": 256},
            cert={"status": "valid", "certificates": [texts[0], *reversed(texts[1:])]},
            multisign=MOST,
            SCAL="2",
        )

    def authorize(self, body):
        if body.get("PIN") != PIN:
            return jsonify(error="invalid_pin", error_description=f"The PIN {body.get('PIN')} is wrong"), 400
        if "otp" in self.traits and body.get("OTP") != OTP:
            return jsonify(error="invalid_otp"), 400
        if len(body["hash"]) != body["numSignatures"]:
            return jsonify(error="invalid_request"), 400
        ticket = secrets.token_urlsafe()
        self.sad[ticket] = body["hash"] if "forgets" not in self.traits else []
        return jsonify(SAD=ticket, expiresIn=300)

    def sign_hash(self, body):
        if "mute" in self.traits:
            self.silence.wait(60)
        if self.sad.pop(body["SAD"], None) != body["hash"]:
            return jsonify(error="invalid_request", error_description="hash not authorised"), 400
        digests = [base64.b64decode(text) for text in body["hash"]]
        if "scrambles" in self.traits:
            digests = [bytes(32)] * len(digests)
        if "loses_one" in self.traits:
            digests.pop()
        return jsonify(signatures=[base64.b64encode(self.raw(digest)).decode() for digest in digests])

    def raw(self, digest):
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        return self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


@contextmanager
def csc_server(pki, *traits: str):
    secret = (pki.folder / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((pki.folder / "kepala.p12").read_bytes(), secret)
    from cryptography.hazmat.primitives.serialization import Encoding

    ders = [one.public_bytes(Encoding.DER) for one in (certificate, *chain)]
    server = CscServer(key, [*ders, pki.anchor], frozenset(traits))
    http = make_server("127.0.0.1", 0, server.app(), threaded=True)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.silence.set()
        http.shutdown()
        http.server_close()
        thread.join()
