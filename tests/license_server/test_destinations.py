"""Where webhooks may go."""

import ipaddress

import pytest

from ternary_license_server.destinations import Destinations, check_literal, target
from ternary_sdk.errors import InputError

EXPECTED = (
    "expected an address such as https://hooks.example.com/ternary, of at most 500 characters, without a "
    "user; http is for this machine alone"
)
NOT_PUBLIC = "is not a public address; to allow it, name it or its network in TERNARY_SERVER_WEBHOOK_NETWORKS"


@pytest.mark.parametrize(
    ("url", "secure", "host", "port"),
    [
        ("https://hooks.example.com/a?b=c", True, "hooks.example.com", 443),
        ("https://hooks.example.com:8443", True, "hooks.example.com", 8443),
        ("https://[2606:4700::1111]/", True, "2606:4700::1111", 443),
        ("http://127.0.0.1:9000/hook", False, "127.0.0.1", 9000),
        ("http://localhost/hook", False, "localhost", 80),
        ("http://[::1]/hook", False, "::1", 80),
    ],
)
def test_an_address_is_read(url, secure, host, port):
    found = target(url)
    assert (found.secure, found.host, found.port) == (secure, host, port)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "http://10.0.0.1/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "hooks.example.com",
        "https://",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://[::1/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nx: y",
        "https://höoks.example.com/",
        "https://ex_ample.com/",
        "https://hooks.example.com/" + "x" * 500,
    ],
)
def test_an_address_that_is_no_webhooks_is_refused(url):
    with pytest.raises(InputError) as refusal:
        target(url)
    assert str(refusal.value) == f"webhook: {url[:100]!r}, {EXPECTED}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "fe80::1", "fd00:ec2::254", "224.0.0.1", "ff02::1", "255.255.255.255",
        "240.0.0.1", "2002:a00:1::1", "2001:0:a00:1::1", "fec0::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_unless_its_network_is_allowed(address):
    read = ipaddress.ip_address(address)
    with pytest.raises(InputError) as refusal:
        Destinations().check(read)
    assert str(refusal.value) == f"{read} {NOT_PUBLIC}"
    Destinations.read(f"192.0.2.0/24, {address}").check(read)


@pytest.mark.parametrize("address", ["::ffff:10.0.0.1", "64:ff9b::a00:1"])
def test_an_address_within_an_address_is_the_inner_one(address):
    with pytest.raises(InputError) as refusal:
        check_literal(f"https://[{address}]/", Destinations())
    assert str(refusal.value) == f"10.0.0.1 {NOT_PUBLIC}"


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111"])
def test_a_public_address_is_allowed(address):
    Destinations().check(ipaddress.ip_address(address))


def test_localhost_is_this_machine():
    with pytest.raises(InputError) as refusal:
        check_literal("https://LOCALHOST/", Destinations())
    assert str(refusal.value) == f"127.0.0.1 {NOT_PUBLIC}"
    check_literal("https://LOCALHOST/", Destinations.read("127.0.0.0/8"))


@pytest.mark.parametrize("text", ["0.0.0.0/0", "example.com", "10.0.0.1/8", "10.0.0.0/8,"])
def test_networks_that_are_none_are_refused(text):
    wrong = text.split(",")[-1]
    with pytest.raises(InputError) as refusal:
        Destinations.read(text)
    assert str(refusal.value) == (
        f"{wrong!r}, expected addresses or networks of destinations such as 127.0.0.1,10.1.0.0/16"
    )
