"""Every file of deploy/ is read by the program that it is for, or by its schema, and runs without rights."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import compose_spec
import kubernetes_validate
import pytest
from packaging.version import Version
from tests.deploy.conftest import unit_lines

from ternary_license_server.settings import Settings, read_archiving
from ternary_license_server.web.server import PROBE

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "ternary-server.service"
SYSTEMD = shutil.which("systemd-analyze")
WITHOUT_RIGHTS = "10001"


def linted(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def settings_of(environment, keys):
    """What a server would make of the variables that a file sets."""
    return Settings.read({**environment, "TERNARY_SERVER_KEYS": str(keys)})


def test_dockerfile_passes_its_linter(dockerfile):
    assert linted(Path(sys.executable).with_name("hadolint"), DEPLOY / "Dockerfile") == (0, "")
    assert dockerfile["USER"] == f"{WITHOUT_RIGHTS}:{WITHOUT_RIGHTS}"


def test_nothing_but_wheels_and_their_releases_goes_into_an_image():
    root = DEPLOY.parent
    ignored = (root / ".dockerignore").read_text("utf-8").splitlines()
    assert [line for line in ignored if not line.startswith("#")] == [
        "*",
        "!constraints.txt",
        "!wheels/*.whl",
    ]
    copied = re.findall(r"^COPY (?!--from)(.*) \./$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.M)
    assert {word.split("/")[0] for line in copied for word in line.split()} == {"constraints.txt", "wheels"}


def test_image_has_the_python_that_the_tests_run_on_and_one_that_is_supported(dockerfile):
    release = re.fullmatch(r"python:([0-9.]+)-slim-bookworm", dockerfile["FROM"])[1]
    assert Version(release).release[:2] == (3, 11)


def test_compose_file_is_of_its_specification(compose, tmp_path):
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert compose_spec.PyCompose.from_yaml(text)
    with pytest.raises(ValueError, match="reed_only"):
        compose_spec.PyCompose.from_yaml(text.replace("read_only", "reed_only"))
    server = compose["services"]["server"]
    assert (server["read_only"], server["cap_drop"]) == (True, ["ALL"])
    settings = settings_of(server["environment"], tmp_path)
    assert settings.workers == 2
    assert int(server["stop_grace_period"].removesuffix("s")) > settings.stop_timeout
    assert server["ports"] == [f"127.0.0.1:{settings.port}:{settings.port}"]


def test_manifests_are_of_their_schemas(manifests):
    assert sorted(manifests) == ["Deployment", "Namespace", "PodDisruptionBudget", "Service"]
    newest = kubernetes_validate.latest_version()
    for one in manifests.values():
        kubernetes_validate.validate(one, newest, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifests["Service"] | {"specs": {}}, newest, strict=True)


def test_pods_keep_to_the_restricted_standard_of_their_namespace(manifests, dockerfile, tmp_path):
    labels = manifests["Namespace"]["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": int(WITHOUT_RIGHTS),
        "runAsGroup": int(WITHOUT_RIGHTS),
        "fsGroup": int(WITHOUT_RIGHTS),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    given = {one["name"]: one.get("value", "postgresql://h/n") for one in container["env"]}
    settings = settings_of(given, tmp_path)
    stops = pod["terminationGracePeriodSeconds"]
    assert stops > settings.stop_timeout + int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert container["readinessProbe"]["timeoutSeconds"] > PROBE.request + PROBE.lock
    assert container["ports"] == [{"name": "http", "containerPort": settings.port}]
    assert manifests["Service"]["spec"]["ports"][0]["targetPort"] == "http"


def test_service_selects_the_pods(manifests):
    pods = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget"):
        selector = manifests[kind]["spec"]["selector"]
        assert selector.get("matchLabels", selector) == pods


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed")
def test_unit_passes_systemds_own_checks(tmp_path, unit):
    program = str(Path(sys.executable).with_name("ternary"))
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text("utf-8").replace("/opt/ternary/bin/ternary", program), "utf-8")
    assert linted(SYSTEMD, "verify", here) == (0, "")
    here.write_text(here.read_text("utf-8").replace("DynamicUser", "DynamicUsers"), "utf-8")
    assert "Unknown key" in linted(SYSTEMD, "verify", here)[1]
    status, told = linted(SYSTEMD, "security", "--offline=true", "--threshold=20", UNIT)
    assert status == 0, told  # an exposure of at most 2.0 of 10


def test_unit_sets_settings_that_exist_and_gives_running_requests_their_time(unit, tmp_path):
    settings = settings_of(dict(line.split("=", 1) for line in unit["Environment"]), tmp_path)
    assert settings.database == "sqlite:////var/lib/ternary/server.sqlite3"
    assert int(unit["TimeoutStopSec"][0]) > settings.stop_timeout
    names = ["license.pem", "answer.pem", "vendor.trust"]
    assert unit["LoadCredential"] == [f"{name}:/etc/ternary/keys/{name}" for name in names]


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed")
def test_timer_and_unit_of_the_audit_log_pass_systemds_own_checks(tmp_path):
    program, files = str(Path(sys.executable).with_name("ternary")), []
    for name in ("ternary-audit.service", "ternary-audit.timer"):
        files.append(tmp_path / name)
        text = (DEPLOY / name).read_text("utf-8").replace("/opt/ternary/bin/ternary", program)
        files[-1].write_text(text, "utf-8")
    assert linted(SYSTEMD, "verify", *files) == (0, "")
    exposed = linted(
        SYSTEMD, "security", "--offline=true", "--threshold=20", DEPLOY / "ternary-audit.service"
    )
    assert exposed[0] == 0, exposed[1]


def test_unit_of_the_audit_log_works_on_the_servers_database_as_its_user(unit, audit_unit, tmp_path):
    added = ["TERNARY_SERVER_AUDIT_ARCHIVE=/var/lib/ternary/audit", "TERNARY_SERVER_AUDIT_KEEP=400"]
    assert audit_unit["Environment"] == unit["Environment"] + added
    assert audit_unit["LoadCredential"] == unit["LoadCredential"]
    assert audit_unit["EnvironmentFile"] == unit["EnvironmentFile"]
    assert audit_unit["StateDirectory"] == [f"{unit['StateDirectory'][0]} ternary/audit"]
    assert audit_unit["User"] == [UNIT.stem]  # the name of the server's own dynamic user
    told = dict(line.split("=", 1) for line in audit_unit["Environment"])
    here = told | {"TERNARY_SERVER_AUDIT_ARCHIVE": str(tmp_path)}  # systemd makes the folder
    assert read_archiving(here) == (str(tmp_path), 400)
    assert unit_lines("ternary-audit.timer")["OnCalendar"] == ["weekly"]


def test_commands_of_the_audit_log_are_of_the_manual(audit_unit):
    page = (DEPLOY.parent / "docs" / "cli.md").read_text("utf-8")
    told = [re.search(r"ternary (server audit [a-z]+)", line)[1] for line in audit_unit["ExecStart"]]
    assert told == ["server audit checkpoint", "server audit archive"]
    assert [words for words in told if f"`{words}" not in page] == []


def test_every_way_to_deploy_runs_the_same_command(dockerfile, manifests, unit):
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert dockerfile.command == ["ternary", "serve"]
    assert container["args"] == dockerfile.command[1:]
    assert unit["ExecStart"] == ["/opt/ternary/bin/ternary serve"]


def test_page_names_files_that_are_there():
    page = (DEPLOY.parent / "docs" / "deploying.md").read_text("utf-8")
    named = set(re.findall(r"\bdeploy/[\w./-]*\w", page)) - {"deploy/.env", "deploy/keys"}
    assert len(named) == 9
    assert {name for name in named if not (DEPLOY.parent / name).exists()} == set()
    kept = {str(file.relative_to(DEPLOY.parent)) for file in DEPLOY.rglob("*") if file.is_file()}
    assert {name for name in kept if not name.startswith(tuple(named))} == {
        "deploy/monitoring/rules_test.yaml"
    }
