"""What is read off the sources: what no module may do, and what each must say of itself."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SDK = ROOT / "sdk" / "src" / "ternary_sdk"
MODULES = sorted(ROOT.glob("*/src/*/**/*.py"))
ENVIRONMENT = {
    "sdk/src/ternary_sdk/_internal/inference/runtime.py",  # switches ONNX Runtime's telemetry off
    "sdk/src/ternary_sdk/_internal/online/environment.py",  # proxies and TLS, never whom to believe
    "sdk/src/ternary_sdk/_internal/licensing/state.py",  # where a user's data is
    "cli/src/ternary_cli/admin.py",  # a vendor's server and token
    "cli/src/ternary_cli/server.py",  # a vendor's server's settings
    "cli/src/ternary_cli/server_terms.py",  # and its database
    "cli/src/ternary_cli/server_audit.py",  # the database whose log is verified
    "cli/src/ternary_cli/server_restoring.py",  # and what it restores into
}
NAIVE = {"utcnow", "utcfromtimestamp", "today"}
AWARE = {"now": 1, "fromtimestamp": 2}
"""Arguments that each needs to give an aware moment."""
IMPORTED_AS = {"fpdf2": "fpdf"}
"""Where a distribution's import name is not its own with underscores."""
UNWRITTEN = re.compile(r"\b(placeholder|docstring|todo|tbd|fixme|lorem)\b", re.I)


def relative(module: Path) -> str:
    return str(module.relative_to(ROOT))


def test_no_module_of_a_client_reads_the_environment_but_these() -> None:
    clients = [module for module in MODULES if relative(module).startswith(("sdk/", "cli/"))]
    reading = {relative(module) for module in clients if reads_environment(ast.parse(module.read_bytes()))}
    assert reading == ENVIRONMENT


def reads_environment(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv")
        for node in ast.walk(tree)
    )


def test_one_module_builds_clients_of_a_server_and_one_sends_events() -> None:
    builders = {"Client", "AsyncClient", "HTTPTransport", "AsyncHTTPTransport", "urlopen", "build_opener"}
    builders |= {"HTTPConnection", "HTTPSConnection"} | {"get", "post", "put", "request", "stream"}
    builders |= {"ConnectionPool", "HTTPProxy"}
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_bytes())):
            named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if (
                named
                and node.value.id in ("httpx", "httpcore", "urllib", "request", "http")
                and node.attr in builders
            ):
                found.add(relative(module))
    assert found == {
        "sdk/src/ternary_sdk/_internal/online/connection.py",
        "LICENSE_SERVER/src/ternary_license_server/serving/posting.py",
    }


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_every_moment_has_a_time_zone(module: Path) -> None:
    for call in (node for node in ast.walk(ast.parse(module.read_bytes())) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("datetime", "date"):
            assert call.func.attr not in NAIVE, f"{module}:{call.lineno}"
            assert len(call.args) + len(call.keywords) >= AWARE.get(call.func.attr, 0), (
                f"{module}:{call.lineno}"
            )


def requirements(project: Path) -> set[str]:
    """The import names of all that a distribution says it needs, itself and in its extras."""
    declared = tomllib.loads(project.read_text("utf-8"))["project"]
    extras = declared.get("optional-dependencies", {}).values()
    every = [*declared["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.match(r"[\w.-]+", line)[0] for line in every}  # type: ignore[index]
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


@pytest.mark.parametrize("project", sorted(ROOT.glob("*/pyproject.toml")), ids=relative)
def test_what_a_distribution_says_it_needs_it_names_in_its_sources(project: Path) -> None:
    sources = "\n".join(module.read_text("utf-8") for module in project.parent.glob("src/**/*.py"))
    unused = {name for name in requirements(project) if not re.search(rf"\b{name}\b", sources)}
    assert unused == set()


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_every_module_says_in_a_sentence_what_it_is(module: Path) -> None:
    said = ast.get_docstring(ast.parse(module.read_bytes())) or ""
    assert len(said.split()) >= 4, said


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_no_docstring_stands_where_one_is_still_to_be_written(module: Path) -> None:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(module.read_bytes())) if isinstance(node, documented)]
    assert [said for node in nodes if UNWRITTEN.search(said := ast.get_docstring(node) or "")] == []


def test_every_room_of_the_sdk_has_a_floor() -> None:
    """Its floors lie in two folders, so import-linter's own `exhaustive` cannot say it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (floors,) = (one for one in contracts if one["name"] == "Floors of the SDK")
    listed = sorted(name.strip() for layer in floors["layers"] for name in layer.split("|"))
    rooms = sorted(
        f"{package}.{path.stem}"
        for package, folder in (("ternary_sdk", SDK), ("ternary_sdk._internal", SDK / "_internal"))
        for path in folder.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.stem not in ("__init__", "_internal", "freezing")
    )
    assert listed == rooms
