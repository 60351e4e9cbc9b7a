"""The passphrase in the tray: wrong, unfit, byte by byte as it was typed, and nowhere afterwards."""

from __future__ import annotations

import pytest

from service.store.batch_tables import batches
from tests.desk.head import WRONG, choose, order, read, sign_form
from tests.support.office import row


def test_a_wrong_passphrase_is_said_at_once_and_nothing_is_signed(office):
    ids, head = office.fill(3), office.head()
    read(head, ids)
    batch = order(head, WRONG)
    office.sign()
    head.get(batch)
    assert "Frasa sandi tidak cocok dengan sertifikat Anda" in head.text
    assert "0 dari 3 ditandatangani" in head.text
    assert {office.state(permit) for permit in ids} == {"numbered"}
    numbers = {row(office.teken, permit).number for permit in ids}
    head.post(batch + "/lanjutkan", {"passphrase": office.passphrase})
    assert (head.status, head.headers["Location"]) == (303, batch)
    office.sign()
    head.get(batch)
    assert "Semua sudah ditandatangani" in head.text
    assert {row(office.teken, permit).number for permit in ids} == numbers


@pytest.mark.parametrize("passphrase", ["", "x" * 256])
def test_an_unfit_passphrase_is_asked_for_again_and_not_shown(office, passphrase):
    ids, head = office.fill(1), office.head()
    read(head, ids)
    head.post(sign_form(head, choose(head)), {"passphrase": passphrase})
    assert head.status == 422
    assert "Isian kosong atau terlalu panjang" in head.text
    assert "x" * 40 not in head.page
    assert office.rows(batches) == []


def test_the_sign_address_takes_only_a_small_plain_form(office):
    ids, head = office.fill(1), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    head.get(form + "?passphrase=" + "ungu")
    assert (head.status, head.headers["Location"]) == (303, form.replace("tandatangani", "periksa"))
    head.post(form, {"passphrase": "x" * 5000})
    assert head.status == 413
    head.post(form, {"passphrase": "x"}, content_type="multipart/form-data")
    assert head.status == 415
    head.post(form, {"passphrase": "x"}, csrf="wrong")
    assert head.status == 403
    assert office.rows(batches) == []


def test_the_passphrase_is_nowhere(office, tmp_path, capfd):
    """Wrong, refused and right ones: in no page, no log, no row, no file."""
    ids, head = office.fill(2), office.head()
    read(head, ids)
    pages = []
    form = sign_form(head, choose(head))
    for secret, fields in ((WRONG, {"csrf": "wrong"}), (WRONG, {})):
        pages.append(head.post(form, {"passphrase": secret, **fields}))
    batch = head.headers["Location"]
    office.sign()
    pages.append(head.get(batch))
    head.post(batch + "/lanjutkan", {"passphrase": office.passphrase})
    office.sign()
    pages += [head.get(batch), head.get("/meja/ttd")]
    out, err = capfd.readouterr()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (WRONG, office.passphrase):
        assert secret not in out + err + "".join(pages)
        for form in (secret.encode(), secret.encode().hex().encode(), secret.encode("utf-16-le")):
            assert form not in stored


def test_a_passphrase_arrives_byte_by_byte_as_it_was_typed(office):
    from service.web.desk import secretform

    typed = " ke+las%41&=ñ–雨 "
    with office.desk.app.test_request_context(
        method="POST", data={"a": "b c+", "passphrase": typed, "csrf": "t"}
    ) as made:
        found = secretform.read(made.request)
    assert found.secret == typed.encode()
    assert found.fields == {"a": "b c+", "csrf": "t"}
    assert typed not in repr(found)


@pytest.mark.parametrize("body", [b"passphrase=%", b"passphrase=%4", b"passphrase=%zz", b"passphrase=%%41a"])
def test_a_broken_form_is_refused(office, body):
    from service.errors import BadRequest
    from service.web.desk import secretform

    kind = "application/x-www-form-urlencoded"
    with office.desk.app.test_request_context(method="POST", data=body, content_type=kind) as made:
        with pytest.raises(BadRequest):
            secretform.read(made.request)
