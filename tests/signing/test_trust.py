"""The operator's trust files: kept while they are as they were, read again once they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from service.trust import certificates
from tests.signing.authorities import Authorities


def test_a_file_that_was_replaced_or_rewritten_is_read_again(tmp_path, monkeypatch):
    world = Authorities()
    root, issuing = (one.certificate.public_bytes(Encoding.PEM) for one in (world.root, world.issuing))
    file, other = tmp_path / "anchors.pem", tmp_path / "next.pem"
    file.write_bytes(root)
    assert certificates(file) == (world.root.der,)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", None)
        assert certificates(file) == (world.root.der,), "nobody touched it"
    other.write_bytes(issuing)
    other.replace(file)
    assert certificates(file) == (world.issuing.der,)
    file.write_bytes(root + issuing)
    assert certificates(file) == (world.root.der, world.issuing.der)
    file.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="PEM"):
        certificates(file)
    file.unlink()
    with pytest.raises(OSError, match="anchors"):
        certificates(file)
