"""One attempt to send an event, over real connections."""

import base64
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.serving import free_port
from tests.sinks import open_sink

from ternary_license_server.destinations import Destinations
from ternary_license_server.service import webhook_signature
from ternary_license_server.service.outbox import Outcome
from ternary_license_server.serving import posting

HERE = Destinations.read("127.0.0.0/8,::1")
NOW = 1_772_366_400


@pytest.fixture
def sink():
    with open_sink() as sink:
        yield sink


def post(url, destinations=HERE, total=5.0, context=None):
    return posting.post(
        url, {"webhook-id": "E-1"}, b"{}", destinations=destinations, now=NOW, total=total, context=context
    )


def test_a_taken_event_is_posted_once_as_json(sink):
    assert post(sink.address) == Outcome(status=204, error=None)
    (came,) = sink.received
    assert (came.path, came.body) == ("/hook", b"{}")
    assert came.headers == {
        "host": sink.address.split("/")[2],
        "content-type": "application/json",
        "content-length": "2",
        "user-agent": "ternary-license-server",
        "accept": "*/*",
        "webhook-id": "E-1",
    }


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_another_status_is_a_failure(sink, status):
    sink.status = status
    assert post(sink.address) == Outcome(status=status, error=f"answered {status}")


def test_a_redirect_is_not_followed(sink):
    with open_sink() as elsewhere:
        sink.status, sink.headers = 302, {"Location": elsewhere.address}
        error = "answered 302; redirects are not followed"
        assert post(sink.address) == Outcome(status=302, error=error)
        assert elsewhere.received == []


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0),
        ("9" * 40, 999_999_999),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(sink, asked, seconds):
    sink.status, sink.headers = 429, {"Retry-After": asked}
    assert post(sink.address) == Outcome(status=429, error="answered 429", retry_after=seconds)


@pytest.mark.parametrize("manner", ["hang", "drip"])
def test_a_receiver_that_hangs_or_drips_is_left_at_the_deadline(sink, manner):
    sink.manner = manner
    assert post(sink.address, total=1.0) == Outcome(status=None, error="no answer within 1 seconds")
    assert sink.arrivals.get(timeout=20).body == b"{}"


def test_a_receiver_that_closes_or_is_not_there_is_a_failure(sink):
    sink.manner = "close"
    error = "no answer (Server disconnected without sending a response.)"
    assert post(sink.address) == Outcome(status=None, error=error)
    error = "no answer ([Errno 111] Connection refused)"
    assert post(f"http://127.0.0.1:{free_port()}/") == Outcome(status=None, error=error)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433"])
def test_nothing_is_sent_to_an_address_that_is_not_allowed_however_it_is_written(sink, host):
    url = sink.address.replace("http://127.0.0.1", f"https://{host}")
    outcome = post(url, Destinations())
    assert outcome.status is None
    assert outcome.error in {
        f"{address} is not a public address; to allow it, name it or its network in "
        "TERNARY_SERVER_WEBHOOK_NETWORKS"
        for address in ("127.0.0.1", "::1")
    }
    assert sink.received == []


def test_http_never_leaves_this_machine():
    everywhere = Destinations.read("0.0.0.0/1,128.0.0.0/1")
    backend = posting._Backend(everywhere, False, float("inf"))
    with pytest.raises(Exception, match=r"^192\.0\.2\.1 is another machine; http is for this machine alone$"):
        backend.connect_tcp("192.0.2.1", 80)


def test_a_name_without_an_address_is_a_failure():
    outcome = post("https://nobody.invalid/")
    assert outcome.status is None
    assert outcome.error.startswith("nobody.invalid: its address was not found ")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """TLS for 127.0.0.1: what the receiver shows, and the authority's certificate."""
    key, folder = ec.generate_private_key(ec.SECP256R1()), tmp_path_factory.mktemp("tls")
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context, folder / "cert"


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(certified):
    context, _ = certified
    with open_sink(context) as sink:
        outcome = post(sink.address)
        assert outcome.status is None
        assert outcome.error.startswith("no answer ([SSL: CERTIFICATE_VERIFY_FAILED] certificate verify ")
        assert sink.received == []


def test_a_certificate_must_be_for_the_name_of_the_address(certified):
    context, authority = certified
    with open_sink(context) as sink:
        trusted = ssl.create_default_context(cafile=str(authority))
        assert post(sink.address, context=trusted) == Outcome(status=204, error=None)
        outcome = post(sink.address.replace("127.0.0.1", "localhost"), context=trusted)
        assert "Hostname mismatch" in outcome.error
        assert len(sink.received) == 1


def test_the_signature_is_that_of_the_specifications_own_example():
    # spec/standard-webhooks.md, and the test of each of its reference libraries
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = webhook_signature.headers(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
