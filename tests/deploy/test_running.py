"""The image's command runs as there: another user, nothing to write but data and /tmp, a Secret's keys.

What the monitoring asks for is compared with what this server tells.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.serving import free_port

from ternary_license_server.keys import keyring
from ternary_license_server.service.refusals import Code
from ternary_sdk.errors import Reason

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
PROMTOOL = shutil.which("promtool")
OF_PROMETHEUS = {"up": {"job", "instance"}}
ROOT = sys.platform == "linux" and os.geteuid() == 0
# Another user, in the group of the Secret. That user may read everything, because Python itself lies in a
# folder of root's on some machines, and write nothing.
OTHER_USER = [
    *("setpriv", "--reuid", "10001", "--regid", "10001", "--groups", "20002"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"),
]
LINKS = {
    "TERNARY_SERVER_PORT": "tcp://10.0.0.7:8750",
    "TERNARY_SERVER_SERVICE_HOST": "10.0.0.7",
    "TERNARY_SERVER_PORT_8750_TCP_ADDR": "10.0.0.7",
}
"""What Kubernetes adds for the Service of deploy/kubernetes."""


def secret(folder):
    """Keys as a pod with fsGroup gets them: root's, for a group to read."""
    keyring.create(folder, "Acme", datetime.now(UTC))
    (folder / "root.pem").unlink()
    (folder / "package.pem").unlink()
    for file in folder.iterdir():
        if ROOT:
            os.chown(file, 0, 20002)
        file.chmod(0o440 if ROOT else 0o400)
    folder.chmod(0o555)


def until(ask):
    for _ in range(600):
        with suppress(httpx.HTTPError):
            if found := ask():
                return found
        threading.Event().wait(0.1)
    raise AssertionError("the server does not answer as expected")


@pytest.fixture(scope="module")
def told(dockerfile):
    """What /metrics says; everything about the run itself is checked on the way."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets nobody else in
        room = Path(folder)
        for name in ("data", "tmp"):
            (room / name).mkdir()
            if ROOT:
                os.chown(room / name, 10001, 10001)
        secret(room / "keys")
        room.chmod(0o555)
        port = free_port()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        moved = {"TERNARY_SERVER_KEYS": str(room / "keys"), "TERNARY_SERVER_HOST": "::1"}
        moved["TERNARY_SERVER_DATABASE"] = f"sqlite:///{room / 'data' / 'server.sqlite3'}"
        environment = dockerfile.environment | LINKS | moved
        environment |= {"PATH": path, "HOME": "/nonexistent", "TMPDIR": str(room / "tmp")}
        command = [*dockerfile.command, "--port", str(port), "--workers", "2"]
        process = subprocess.Popen(
            [*(OTHER_USER if ROOT else ()), *command],
            env=environment,
            cwd=room,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            address = f"http://[::1]:{port}"
            assert process.stderr.readline().startswith("first admin token, shown only now, ")
            said = process.stderr.readline()
            assert said.startswith(f"serving Acme at {address}, database sqlite"), said
            threading.Thread(target=process.stderr.read, daemon=True).start()
            until(lambda: httpx.get(f"{address}/readyz").status_code == 200)
            asked = [word.replace("127.0.0.1:8750", f"[::1]:{port}") for word in dockerfile.health]
            assert subprocess.run([sys.executable, *asked[1:]], check=False).returncode == 0
            assert httpx.get(f"{address}/v1/nothing").status_code == 404
            text = until(lambda: told if "ternary_licenses{" in (told := metrics(address)) else None)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            process.stderr.close()
        assert [path.name for path in (room / "data").iterdir()] == ["server.sqlite3"]
        assert not any((room / "tmp").iterdir())
    return text


def metrics(address):
    return httpx.get(f"{address}/metrics").text


def labels_told(text):
    """The labels of each series' name."""
    found = dict(OF_PROMETHEUS)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return found


def expressions():
    board = json.loads((MONITORING / "board.json").read_text("utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$job", "ternary")
    for group in yaml.safe_load((MONITORING / "rules.yaml").read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def selectors(expression):
    """Every series that a query names."""
    if isinstance(expression, str):
        expression = promql_parser.parse(expression)
    if isinstance(expression, promql_parser.VectorSelector):
        return [expression]
    parts = ("expr", "lhs", "rhs", "vector_selector", "args", "param")
    inner = [getattr(expression, part, None) for part in parts]
    every = [one for part in inner for one in (part if isinstance(part, list) else [part]) if one is not None]
    return [found for one in every for found in selectors(one)]


def test_every_metric_and_label_that_board_and_rules_name_is_told_by_a_server(told):
    known, asked = labels_told(told), set()
    for where, expression in expressions():
        for selector in selectors(expression):
            assert selector.name in known, where
            asked.add(selector.name)
            for matcher in selector.matchers.matchers:
                assert matcher.name in known[selector.name], f"{where}: {matcher.name}"
    page = (MONITORING.parents[1] / "docs" / "deploying.md").read_text("utf-8")
    of_business = {name for name in known if re.match(r"ternary_(?!requests|refusals|request_seconds)", name)}
    listed = {name.partition("{")[0] for name in re.findall(r"`(ternary_[^`]+)`", page)}
    assert listed == {name for name in of_business if not name.endswith("_created")}
    assert of_business - asked == {"ternary_operations_metered_created"} & of_business


def test_every_value_of_a_label_that_board_and_rules_name_exists(told):
    values = {
        (sample.name, label): set()
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        for label in sample.labels
    }
    for family in text_string_to_metric_families(told):
        for sample in family.samples:
            for label, value in sample.labels.items():
                values[sample.name, label].add(value)
    values["ternary_refusals_total", "code"] = {str(one) for one in (*Reason, *Code)} | {"CLOCK_IN_DOUBT"}
    free = {"job", "instance", "route", "status", "le"}
    for where, expression in expressions():
        for selector in selectors(expression):
            for matcher in selector.matchers.matchers:
                if matcher.name not in free:
                    assert matcher.value in values[selector.name, matcher.name], f"{where}: {matcher.value}"


def test_every_panel_has_a_place_of_its_own_and_the_boards_source():
    board = json.loads((MONITORING / "board.json").read_text("utf-8"))
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${source}"}
    assert {one["name"] for one in board["templating"]["list"]} == {"source", "job"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_rules_alarm_when_they_should_and_only_then():
    for words in (["check", "rules", "rules.yaml"], ["test", "rules", "rules_test.yaml"]):
        done = subprocess.run([PROMTOOL, *words], cwd=MONITORING, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
