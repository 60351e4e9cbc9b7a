"""An office that changed its domain: what was printed under the old one is answered there for ever."""

from __future__ import annotations

from service.app import create_app
from tests.procedures.stories import client_of, edit, issued, open_tree, tree_of
from tests.support.office import payload, row


def test_an_address_of_an_old_host_is_answered_there(tmp_path, keys):
    root = tree_of(tmp_path, "rokan-hulu", "malang")
    teken = open_tree(tmp_path / "home", root, keys)
    kind = ("rokan-hulu", "surat-izin-perekam-medik")
    permit = row(teken, issued(teken, client_of(teken, "rokan-hulu"), payload(*kind)))
    teken.close()
    old = 'public_url = "https://izin.rohul.example"'
    new = 'public_url = "https://perizinan.rohul.example"\npublic_url_aliases = ["https://izin.rohul.example"]'
    edit(root / "rokan-hulu" / "office.toml", old, new)
    moved = open_tree(tmp_path / "home", root, keys)
    browser = create_app(moved).test_client()
    for host in ("izin.rohul.example", "perizinan.rohul.example"):
        for path in (f"/V/{permit.code}", f"/v/{permit.code.lower()}"):
            answer = browser.get(path, base_url=f"https://{host}")
            assert (answer.status_code, permit.code in answer.text.replace("-", "")) == (200, True)
        known = browser.get("/qr/offline.json", base_url=f"https://{host}").get_json()
        assert list(known["offices"]) == ["rokan-hulu"]
        assert "DPMPTSP Kabupaten Rokan Hulu" in browser.get("/V", base_url=f"https://{host}").text
    assert "DPMPTSP Kabupaten Rokan Hulu" not in browser.get("/V", base_url="https://izin.malang.example").text
    moved.close()
