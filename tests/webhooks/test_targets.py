"""Where a webhook may go: a table of addresses that somebody would try."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from service.webhooks.addresses import checked, is_allowed, networks_of
from service.webhooks.errors import HostRefused, Unsent, UrlInvalid
from service.webhooks.targets import Rules, Target, target_of

PUBLIC = Rules()
INSIDE = Rules(networks=networks_of("10.20.0.0/16, fd00:1::/32, 127.0.0.0/8"))
NAMED = Rules(names=("hulu.example", "*.kab.example"))

REFUSED_ADDRESSES = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1
    192.0.0.170 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
    64:ff9b::808:808 64:ff9b:1::7f00:1 64:ff9b:1:ffff::a00:1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 2400:1::5efe:7f00:1 2400:1::200:5efe:a00:1
    3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1
""".split()


@pytest.mark.parametrize("text", REFUSED_ADDRESSES)
def test_nothing_is_sent_to_an_address_that_is_not_public(text):
    assert not is_allowed(ip_address(text), PUBLIC.networks)


@pytest.mark.parametrize("text", ["8.8.8.8", "103.28.20.1", "172.32.0.1", "2400:cb00::1", "2606:4700:4700::1111"])
def test_public_addresses_are_fine(text):
    assert is_allowed(ip_address(text), PUBLIC.networks)


def test_a_network_of_the_office_is_fine_where_the_operator_named_it_but_never_the_metadata_service():
    assert is_allowed(ip_address("10.20.3.4"), INSIDE.networks)
    assert is_allowed(ip_address("fd00:1::7"), INSIDE.networks)
    assert not is_allowed(ip_address("10.21.0.1"), INSIDE.networks)
    assert not is_allowed(ip_address("169.254.169.254"), networks_of("0.0.0.0/0"))
    assert not is_allowed(ip_address("ff02::1"), networks_of("::/0"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hulu.example",
        "//hulu.example/",
        "ftp://hulu.example/",
        "file:///etc/passwd",
        "gopher://hulu.example/",
        "http://hulu.example/",
        "http://8.8.8.8/",
        "https:///jalan",
        "https://",
        "https://hulu.example@10.0.0.1/",
        "https://nama:sandi@hulu.example/",
        "https://hulu.example/#bagian",
        "https://hulu.example\\@10.0.0.1/",
        "https://hulu.example/\\..\\",
        "https://hulu.example /",
        "https://hulu.example/a b",
        "https://hulu.example/\r\nHost: 10.0.0.1",
        "https://hulu.example/\n",
        "https://hulu.example\n",
        "https://hulu.example\x00.lain.example/",
        "https://hulu.example\t/",
        "\thttps://hulu.example/",
        "https://hulu.example./",
        "https://hulu..example/",
        "https://-hulu.example/",
        "https://hulu%2eexample/",
        "https://127.0.0.1%2f@hulu.example/",
        "https://①②⑦.⓪.⓪.①/",
        "https://ｌocalhost/",
        "https://hulü.example/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://hulu.0x1/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://[::1",
        "https://[fe80::1%eth0]/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        "https://::1/",
        "https://hulu.example:0/",
        "https://hulu.example:/",
        "https://hulu.example:65536/",
        "https://hulu.example:080/",
        "https://hulu.example:443:443/",
        "https://hulu.example:４４３/",
        "https://" + "a" * 64 + ".example/",
        "https://" + ".".join(["a" * 50] * 6) + "/",
        "https://hulu.example/" + "a" * 2000,
    ],
)
def test_what_programs_could_read_differently_is_refused(url):
    with pytest.raises(UrlInvalid):
        target_of(url, PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://10.0.0.1:8443/x",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
    ],
)
def test_an_address_that_is_not_public_is_refused_when_it_is_added(url):
    with pytest.raises(HostRefused):
        target_of(url, PUBLIC)


def test_an_address_is_read_into_its_parts():
    assert target_of("HTTPS://Hulu.Example:8443/Masuk?a=b", PUBLIC) == Target(
        "https", "hulu.example", 8443, "/Masuk?a=b"
    )
    assert target_of("https://hulu.example?a=b", PUBLIC) == Target("https", "hulu.example", 443, "/?a=b")
    assert target_of("https://[2400:CB00:0::1]/", PUBLIC).host == "2400:cb00::1"


def test_http_is_for_a_receiver_on_this_machine_that_the_operator_allows():
    assert target_of("http://127.0.0.1:9000/", INSIDE).scheme == "http"
    assert target_of("http://localhost:9000/", INSIDE).scheme == "http"
    with pytest.raises(UrlInvalid):
        target_of("http://10.20.3.4/", INSIDE)
    with pytest.raises(HostRefused):
        target_of("http://127.0.0.1:9000/", PUBLIC)


def test_a_list_of_names_excludes_all_others():
    assert target_of("https://hulu.example/", NAMED).host == "hulu.example"
    assert target_of("https://perizinan.kab.example/", NAMED).host == "perizinan.kab.example"
    for host in ("kab.example", "jahathulu.example", "hulu.example.jahat.example", "8.8.8.8"):
        with pytest.raises(HostRefused):
            target_of(f"https://{host}/", NAMED)


@pytest.mark.parametrize(
    "answers", [["8.8.8.8", "10.0.0.1"], ["64:ff9b::7f00:1"], ["127.0.0.1"], ["2400:cb00::1%eth0"]]
)
def test_one_bad_address_of_a_name_refuses_the_name(answers):
    with pytest.raises(Unsent, match="address_refused"):
        checked("hulu.example", 443, lambda *_: answers, PUBLIC.networks)


@pytest.mark.parametrize("answers", [[], ["bukan alamat"]])
def test_a_name_without_a_usable_address_is_unknown(answers):
    with pytest.raises(Unsent, match="name_unknown"):
        checked("hulu.example", 443, lambda *_: answers, PUBLIC.networks)
