"""The whole way of a model by command, from its training to a meter that is full."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

Ternary = Callable[..., Any]


def go(ternary: Ternary, folder: Path, recipe: str, space: Space, *settings: str) -> dict[str, Any]:
    """Go it, and check what each step gives; the certified facts of the package."""

    def done(*words: object, stdin: bytes = b"") -> str:
        result = ternary(*words, stdin=stdin)
        assert result.status == 0, result.err
        return str(result.text)

    run, build, package = folder / "run", folder / "build", folder / "acme-1.0.0.ternary"
    keys, license = folder / "keys", folder / "acme.license"
    done("train", "--recipe", recipe, "--seed", 1, "--out", run, *(f"--set={one}" for one in settings))
    done("export", run, "--out", build)
    assert "computed again and confirmed" in done("certify", build)
    done("keys", "init", keys, "--vendor", "Acme Logic")
    done("package", build, "--name", "acme", "--version", "1.0.0", "--keys", keys, "--out", package)
    trust = keys / "vendor.trust"
    terms = ("--to", "Initech", "--expires", "never", "--unique-operations", space.size)
    done("license", "issue", "--package", package, *terms, "--keys", keys, "--out", license)
    given = ("--license", license, "--trust", trust)
    done("verify", package, "--trust", trust, "--replay")
    info: dict[str, Any] = json.loads(done("info", package, "--trust", trust, "--json"))

    best = info["paths"][info["default_path"]]
    assert best["reachable"] == space.size
    everything = ("--unique", "-n", space.size, "--seed", 7)
    rows = read(done("sample", package, *given, *everything, "--format", "csv"))
    assert {int(row["index"]) for row in rows} == set(range(space.size))
    tables = [[int(row[f"t{cell}"]) for cell in range(space.cells)] for row in rows]
    assert space.to_index(tables).tolist() == [int(row["index"]) for row in rows]

    text = write([[*(f"t{cell}" for cell in range(space.cells))], *tables])
    coded = ("--package", package, *given, "--format", "csv")
    latents = done("encode", *coded, stdin=text)
    again = read(done("decode", *coded, stdin=latents.encode()))
    assert [[int(row[f"t{cell}"]) for cell in range(space.cells)] for row in again] == tables

    report = folder / "usage.json"
    used = json.loads(done("license", "usage", license, "--trust", trust, "--export", report, "--json"))
    assert (used["drawn"], used["allowed"]) == (space.size, space.size)
    counted = Usage.read(report.read_bytes())
    assert counted.operations == OperationSet.of(range(space.size), space)
    return info


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def write(rows: list[list[Any]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
