"""docs/webhooks.md, typed against a running server and a receiver; and what each command refuses."""

import json
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.serving import served
from tests.sinks import open_sink

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")
ADDRESS = "https://hooks.example.com/ternary"


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture
def sink():
    with open_sink() as sink:
        yield sink


@pytest.fixture
def folder(tmp_path, vendor, monkeypatch):
    """Where the page's reader is: beside the folder of the keys."""
    shutil.copytree(vendor.directory, tmp_path / "keys")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(folder, monkeypatch):
    monkeypatch.setenv("TERNARY_SERVER_WEBHOOK_NETWORKS", "127.0.0.1")
    with served(folder / "keys", "sqlite:///server.sqlite3") as (address, token):
        point_at(monkeypatch, address, token)
        yield address


def point_at(monkeypatch, address, token):
    monkeypatch.setenv("TERNARY_SERVER_URL", address)
    monkeypatch.setenv("TERNARY_SERVER_TOKEN", token)


@pytest.mark.stress
def test_two_processes_of_one_server_send_each_event_once(folder, ternary, sink, monkeypatch):
    monkeypatch.setenv("TERNARY_SERVER_WEBHOOK_NETWORKS", "127.0.0.1")
    assert ternary("keys", "webhook", "keys").status == 0
    database = "sqlite:///server.sqlite3"
    with served(folder / "keys", database, "--workers", "2") as (address, token):
        point_at(monkeypatch, address, token)
        made = json.loads(ternary("server", "webhook", "add", sink.address, "--json").text)
        for _ in range(6):
            assert ternary("server", "webhook", "test", made["id"]).status == 0
    came = [one.headers["webhook-id"] for one in sink.received]
    assert len(came) == len(set(came)) == 6


def test_the_page_can_be_typed_as_it_stands_and_events_come_as_it_says(server, ternary, sink, folder):
    printed = ""
    without_its_key_no_webhook_is_made(ternary, folder)

    def type_in(line):
        nonlocal printed
        words = line.split("#")[0].replace(ADDRESS, sink.address)
        for form in ("W", "E"):
            if f"{form}-…" in words:
                words = words.replace(f"{form}-…", re.findall(rf"\b{form}-[0-9a-f]+\b", printed)[-1])
        done = ternary(*shlex.split(words)[1:])
        assert done.status == 0, f"$ {words}\n{done.err}"
        printed += done.text

    lines = [line for body in blocks("sh") for line in body.splitlines() if line.startswith("ternary ")]
    assert len(lines) == 11
    came = []
    for line in lines:
        type_in(line)
        if "webhook test" in line or "events replay E-" in line:  # before the webhook is paused and removed
            came.append(sink.arrivals.get(timeout=30))
    secret = re.search(r"whsec_\S+", printed)[0]
    first, again = came
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert json.loads(first.body)["type"] == "webhook.tested"
    verify_by_python(secret, first)
    verify_by_openssl(secret, first, folder)
    refusals(ternary)


def without_its_key_no_webhook_is_made(ternary, folder):
    done = ternary("server", "webhook", "add", ADDRESS)
    assert (done.status, done.err) == (
        1,
        f"error: {folder / 'keys' / 'webhook.pem'}: no such file; run 'ternary keys webhook DIR', and copy "
        "the file to every server of this database (INVALID)\n",
    )


def verify_by_python(secret, came):
    (block,) = blocks("python")
    names = {}
    exec(block, names)
    assert names["verified"](secret, came.headers, came.body, time.time()) == came.body
    for wrong in (
        (secret, came.headers, came.body + b" ", time.time()),
        (secret, came.headers, came.body, time.time() + 400),
        ("whsec_AAAA", came.headers, came.body, time.time()),
    ):
        with pytest.raises(ValueError, match="not signed with this secret, or too old"):
            names["verified"](*wrong)


def verify_by_openssl(secret, came, folder):
    (block,) = (body for body in blocks("sh") if "openssl" in body)
    (folder / "body").write_bytes(came.body)
    given = {
        "SECRET": secret,
        "ID": came.headers["webhook-id"],
        "TIMESTAMP": came.headers["webhook-timestamp"],
    }
    setting = "".join(f"{name}={shlex.quote(value)}\n" for name, value in given.items())
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", setting + block],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    assert came.headers["webhook-signature"] == f"v1,{done.stdout.strip()}"


def refusals(ternary):
    for words, status, error in (
        (
            ("webhook", "add", "http://hooks.example.com/"),
            1,
            "error: webhook: 'http://hooks.example.com/', expected an address such as "
            "https://hooks.example.com/ternary, of at most 500 characters, without a user; http is for this "
            "machine alone (INVALID)\n",
        ),
        (
            ("webhook", "add", "https://169.254.169.254/latest"),
            1,
            "error: 169.254.169.254 is not a public address; to allow it, name it or its network in "
            "TERNARY_SERVER_WEBHOOK_NETWORKS (INVALID)\n",
        ),
        (
            ("webhook", "add", "https://hooks.example.com/", "--events", "license.sold"),
            1,
            "error: kinds: 'license.sold', expected some of license.ending, license.ended, "
            "license.suspended, license.reinstated, license.revoked, seat.freed, quota.reached, meter.lost, "
            "invoice.issued, webhook.tested (INVALID)\n",
        ),
        (("webhook", "test", "W-0"), 1, "error: webhook W-0: there is none of this id (UNKNOWN)\n"),
        (("webhook", "remove", "W-0"), 1, "error: webhook W-0: there is none of this id (UNKNOWN)\n"),
        (
            ("events", "replay", "E-0"),
            1,
            "error: event E-0: there is none of this id, or it was forgotten (UNKNOWN)\n",
        ),
        (("events", "list", "--dead", "--pending"), 2, "--dead and --pending cannot be used together."),
        (("events", "replay"), 2, "Name events, or add --all-dead."),
    ):
        done = ternary("server", *words)
        assert (done.status, done.text) == (status, ""), words
        assert done.err == error if status == 1 else error in done.err, done.err


def test_the_key_of_webhooks_is_made_once(ternary, folder):
    assert ternary("keys", "webhook", "keys").status == 0
    done = ternary("keys", "webhook", "keys")
    assert (done.status, done.err) == (
        1,
        "error: keys/webhook.pem: exists already; without it no secret of a webhook can be read\n",
    )
    done = ternary("keys", "webhook", "nothing")
    assert (done.status, done.err) == (
        1, "error: nothing: not a directory; 'ternary keys init' makes one\n"
    )  # fmt: skip
