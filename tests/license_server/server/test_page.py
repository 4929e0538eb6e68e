"""
Every shell line of docs/license-server.md is typed as it stands there, over real HTTP.

A comment before a block says who types it: the vendor, a customer, who runs replicas; each has a folder, an
environment and a home of his own. What the page leaves open (``…``) is what an earlier line printed: the
token, ids, the license key, the license's file; ports are free ones. Replicas run over PostgreSQL where there
is one. Two things cannot run here, and are
checked instead: ``pip install`` (its distributions and extras are those that we define) and the TLS proxy
(its configuration is parsed, with the contexts and arguments of nginx's own directives).
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import crossplane
import httpx
import pytest

from ternary_sdk._internal.wheels import file_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "license-server.md").read_text("utf-8")
BLOCK = re.compile(
    r"^(?:<!-- on: (?P<who>[a-z]+) -->\n)?```(?P<kind>[a-z]+)\n(?P<body>.*?)^```$", re.M | re.S
)
SAMPLE_KEY, DATABASE = "7ZK2M-…", "postgresql://ternary:…@db.example.com/ternary"
KEY = r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}\b"


def shell_blocks():
    return [(found["who"], found["body"]) for found in BLOCK.finditer(PAGE) if found["kind"] == "sh"]


def price_list():
    """The page's price list, which the vendor has in a file."""
    (body,) = (found["body"] for found in BLOCK.finditer(PAGE) if found["kind"] == "toml")
    return body


@dataclass
class Reader:
    """Somebody who follows the page; ``printed`` is what all readers have seen."""

    folder: Path
    printed: list[str]
    database: str
    ports: dict[str, int]
    servers: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)

    def __post_init__(self):
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "XDG_DATA_HOME": str(self.folder / "home" / "data"),
            "LANG": "C.UTF-8",
            "TERNARY_SERVER_PORT": str(self.port("8750")),
            "TERNARY_SERVER_URL": f"http://127.0.0.1:{self.port('8750')}",
        }

    def port(self, written):
        if written not in self.ports:
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                self.ports[written] = found.getsockname()[1]
        return self.ports[written]

    def type(self, line):
        words = self.filled(line.split(" #")[0].strip())
        if words.startswith("pip install "):
            check_installable(words)
        elif words.startswith("export "):
            for pair in words.split()[1:]:
                self.environment.update([pair.split("=", 1)])
        elif words.startswith("ternary serve ") and "--new-token" not in words:
            self.serve(words)
        else:
            self.run(words)

    def filled(self, line):
        line = line.replace(DATABASE, self.database)
        line = re.sub(r"\b875\d\b", lambda written: str(self.port(written[0])), line)
        return re.sub(r"[^\s=']*…[^\s']*", lambda written: self.earlier(written[0]), line)

    def earlier(self, written):
        # Not within a word: a token or a digest may have "C-50" in it.
        form = (
            KEY if written == SAMPLE_KEY else r"(?<![\w-])" + r"\S*".join(map(re.escape, written.split("…")))
        )
        found = [re.search(form, text) for text in reversed(self.printed)]
        assert any(found), f"nothing printed before looks like {written}"
        return next(match[0] for match in found if match)

    def run(self, words):
        done = subprocess.run(
            ["bash", "-c", words], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"$ {words}\n{done.stdout}"
        self.printed.append(done.stdout)

    def serve(self, words):
        server = subprocess.Popen(
            ["bash", "-c", f"exec {words}"],
            cwd=self.folder, env=self.environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.servers.append(server)
        while not (line := server.stderr.readline()).startswith("serving "):
            assert line, f"$ {words}: it ended"
            self.printed.append(line)
        address = re.search(r"http://\S+:\d+", line)[0]
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            assert client.get(f"{address}/readyz").json() == {"faults": [], "ready": True, "warnings": []}

    def stop(self):
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        for server in self.servers:
            assert server.wait(20) == 0
            server.stderr.close()


def check_installable(words):
    for wheel, extras in re.findall(r"'wheels/([a-z0-9_.-]+)\[([a-z,]+)\]'", words):
        known = [tomllib.loads(file.read_text()) for file in ROOT.glob("*/pyproject.toml")]
        (project,) = (each["project"] for each in known if file_of(each["project"]["name"]) == wheel)
        assert set(extras.split(",")) <= set(project["optional-dependencies"])


@pytest.fixture
def readers(database_kinds, tmp_path, database_address, shipped, vendor):
    """The people of the page: the vendor has keys and a package, a customer package and trust file."""
    with ExitStack() as stack:
        url = stack.enter_context(database_address(database_kinds[-1], tmp_path))
        printed, ports = [], {}

        def reader(who):
            (folder := tmp_path / who).mkdir()
            made = Reader(folder, printed, url, ports)
            stack.callback(made.stop)
            return made

        people = {who: reader(who) for who in ("vendor", "customer", "replicas")}
        for who in ("vendor", "replicas"):
            shutil.copytree(vendor.directory, people[who].folder / "keys")
        (people["vendor"].folder / "prices.toml").write_text(price_list())
        for who in ("vendor", "customer"):
            (people[who].folder / "acme-1.0.0.ternary").write_bytes(shipped)
        shutil.copy(vendor.directory / "vendor.trust", people["customer"].folder)
        yield people


def test_every_shell_line_of_the_page_does_what_the_page_says(readers):
    for who, body in shell_blocks():
        for line in body.splitlines():
            readers[who].type(line)
    vendor = readers["vendor"]
    vendor.run("ternary server usage --from 2020-01-01 --to 2099-12-31 --csv")
    told = "".join(vendor.printed)
    assert re.search(r"^faults +0$", told, re.MULTILINE)
    assert re.search(r"^total +EUR 60\.00$", told, re.MULTILINE)
    assert re.search(r'^L-\w+,C-\w+,Initech,"3,2",(\d+),0,0,\1,0\.\d+,\1,5000,0\.\d+$', told, re.MULTILINE)
    assert len(readers["replicas"].servers) == 2


def test_every_block_of_the_page_runs_or_is_checked_in_another_way():
    kinds = [found["kind"] for found in BLOCK.finditer(PAGE)]
    assert set(kinds) == {"sh", "nginx", "toml"}
    assert kinds.count("nginx") == kinds.count("toml") == 1
    assert {who for who, _ in shell_blocks()} == {"vendor", "customer", "replicas"}


@pytest.fixture
def proxied(tmp_path):
    """The page's TLS proxy as crossplane reads it: directives of its ``server`` block, and its locations."""
    (block,) = (found["body"] for found in BLOCK.finditer(PAGE) if found["kind"] == "nginx")
    file = tmp_path / "nginx.conf"
    file.write_text(f"events {{}}\nhttp {{\n{block}}}\n")
    parsed = crossplane.parse(str(file), strict=True)
    assert (parsed["status"], parsed["errors"]) == ("ok", [])
    (http,) = (one for one in parsed["config"][0]["parsed"] if one["directive"] == "http")
    (server,) = http["block"]
    return directives(server), {
        one["args"][-1]: directives(one) for one in server["block"] if one["directive"] == "location"
    }


def directives(block):
    return [(one["directive"], *one["args"]) for one in block["block"] if one["directive"] != "location"]


def test_proxy_passes_paths_on_unchanged_and_nothing_but_the_two_interfaces(proxied):
    _, locations = proxied
    passed = {path: [one for one in inside if one[0] == "proxy_pass"] for path, inside in locations.items()}
    to = [("proxy_pass", "http://127.0.0.1:8750")]
    assert passed == {"/v1/": to, "/admin/": to, "/": []}
    assert locations["/"] == [("return", "404")]


def test_proxy_keeps_the_admin_interface_to_the_operators_network(proxied):
    _, locations = proxied
    rules = [one for one in locations["/admin/"] if one[0] in ("allow", "deny")]
    assert rules == [("allow", "10.0.0.0/8"), ("deny", "all")]


def test_proxy_writes_the_clients_address_over_whatever_the_client_sent(proxied):
    server, locations = proxied
    assert ("proxy_set_header", "X-Forwarded-For", "$remote_addr") in server
    # nginx gives a location none of the server's headers if it sets one of its own
    assert [one for inside in locations.values() for one in inside if one[0] == "proxy_set_header"] == []


@pytest.mark.parametrize(("proxies", "told"), [("127.0.0.1", "203.0.113.9"), (None, "127.0.0.1")])
def test_address_behind_a_proxy_is_the_clients_if_the_settings_name_the_proxy(readers, proxies, told):
    vendor = readers["vendor"]
    if proxies:
        vendor.environment["TERNARY_SERVER_PROXIES"] = proxies
    vendor.type("ternary serve --keys keys --database sqlite:///server.sqlite3")
    address = vendor.environment["TERNARY_SERVER_URL"]
    httpx.get(f"{address}/v1/keys", headers={"X-Forwarded-For": "203.0.113.9"})
    lines = (json.loads(line) for line in vendor.servers[0].stderr)
    assert next(line["address"] for line in lines if line.get("route") == "/v1/keys") == told
