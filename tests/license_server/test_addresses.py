"""Whose address a request comes from: only proxies that the operator named are believed."""

from ipaddress import ip_address

import pytest

from ternary_license_server import addresses
from ternary_license_server.addresses import Proxies
from ternary_sdk.errors import InputError

CLIENT, PROXY, OUTER = "203.0.113.9", "127.0.0.1", "10.1.2.3"
TRUSTED = Proxies.read("127.0.0.1, 10.1.0.0/16,::1")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:cb00:7109]:80", "203.0.113.9"),
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
    ],
)
def test_one_address_is_read_the_same_however_it_is_written(text, address):
    assert addresses.parse(text) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "unknown", "_hidden", "localhost", "203.0.113", "203.0.113.256", "203.0.113.009",
        "203.0.113.9:", "203.0.113.9:port", "203.0.113.9:123456", "[203.0.113.9", "[]", "[]:80", "::1::",
        "2001:db8::7]:80", '"203.0.113.9"', "for=203.0.113.9", "203.0.113.9 10.0.0.1", "٢٠٣.0.113.9",
        "203.0.113.9\x00", "1" * 70_000, "%eth0",
    ],
)  # fmt: skip
def test_what_is_not_an_address_is_none(text):
    assert addresses.parse(text) is None


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("nothing", "unknown"),
    ],
)
def test_ipv6_network_of_one_user_counts_as_one(address, counts_as):
    assert addresses.bucket(addresses.parse(address)) == counts_as


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        (CLIENT, [], CLIENT),
        (CLIENT, ["198.51.100.1"], CLIENT),
        (PROXY, [], PROXY),
        (PROXY, [CLIENT], CLIENT),
        (PROXY, [f"{CLIENT}:4711"], CLIENT),
        (PROXY, ["[2001:db8::7]:443"], "2001:db8::7"),
        ("::ffff:127.0.0.1", [CLIENT], CLIENT),
        ("::1", [CLIENT], CLIENT),
        (PROXY, [f"198.51.100.1, {CLIENT}"], CLIENT),
        (PROXY, ["198.51.100.1", CLIENT], CLIENT),
        (PROXY, [f"198.51.100.1, {CLIENT}, {OUTER}"], CLIENT),
        (PROXY, [f"{CLIENT},{OUTER}", "10.1.9.9"], CLIENT),
        (PROXY, [f"{OUTER}, {OUTER}"], OUTER),
        (PROXY, [""], PROXY),
        (PROXY, ["unknown"], PROXY),
        (PROXY, [f"{CLIENT}, x, {OUTER}"], OUTER),
        (PROXY, [f"{CLIENT}, "], PROXY),
        (PROXY, ["\xff\xfe"], PROXY),
        ("", [CLIENT], None),
        ("not an address", [CLIENT], None),
    ],
)
def test_list_is_read_from_its_end_as_far_as_proxies_of_the_operator_wrote_it(peer, forwarded, origin):
    found = TRUSTED.origin(peer, [value.encode("latin-1") for value in forwarded])
    assert found == (None if origin is None else ip_address(origin))


def test_nobody_is_believed_unless_the_operator_says_so():
    for peer in (PROXY, "::1", OUTER, CLIENT):
        assert Proxies.read("").origin(peer, [b"198.51.100.1"]) == ip_address(peer)


@pytest.mark.parametrize(
    "text", ["*", "proxy.example.com", "10.1.2.3/16", "0.0.0.0/0", "::/0", "10.0.0.1,", ","]
)
def test_setting_that_names_no_proxy_is_refused(text):
    with pytest.raises(InputError) as refusal:
        Proxies.read(text)
    wrong = "" if text.endswith(",") else text
    assert str(refusal.value) == (
        f"{wrong!r}, expected addresses or networks of proxies such as 127.0.0.1,10.1.0.0/16"
    )


def test_setting_reads_back_as_it_is_written():
    assert str(TRUSTED) == "127.0.0.1/32,10.1.0.0/16,::1/128"
    assert Proxies.read(str(TRUSTED)) == TRUSTED
