"""What the distributions and CITATION.cff say of themselves is valid, agrees, and is known to be true."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml
from packaging.licenses import canonicalize_license_expression
from trove_classifiers import classifiers, deprecated_classifiers

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("sdk", "trainer", "export", "LICENSE_SERVER", "cli")
PRIVATE: Final = "Private :: Do Not Upload"
_TEXT: Final = {"type": "string", "minLength": 1}
CITATION: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["cff-version", "message", "title", "authors"],
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "type": {"enum": ["software", "dataset"]},
        "title": _TEXT,
        "message": _TEXT,
        "abstract": _TEXT,
        "version": _TEXT,
        "license": {"type": "string", "pattern": r"^[A-Za-z0-9.+-]+$"},
        "date-released": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT},
        "authors": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {"name": _TEXT},
            },
        },
    },
}
"""Of the Citation File Format 1.2.0, the members that we state."""


def project(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def readme(folder: str) -> str:
    return (ROOT / folder / project(folder)["readme"]).read_text("utf-8")


def citation() -> dict[str, Any]:
    # Dates stay text, as the schema has them.
    found: dict[str, Any] = yaml.load((ROOT / "CITATION.cff").read_text("utf-8"), yaml.BaseLoader)
    return found


def refused(document: dict[str, Any]) -> set[str]:
    checker = jsonschema.Draft202012Validator(CITATION)
    return {error.json_path for error in checker.iter_errors(document)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_classifiers_exist_each_once_and_none_is_deprecated(folder: str) -> None:
    stated = project(folder)["classifiers"]
    # 'Private ::' is no classifier: every index refuses what begins with it
    assert set(stated) - {PRIVATE} <= classifiers - set(deprecated_classifiers)
    assert len(stated) == len(set(stated))


@pytest.mark.parametrize("folder", FOLDERS)
def test_classifiers_state_only_what_is_tested(folder: str) -> None:
    """CONTRIBUTING says on what all tests run; an index refuses what is private (docs/installing.md)."""
    stated = project(folder)["classifiers"]
    assert "All tests run on Linux, x86-64, Python 3.11" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [one for one in stated if one.startswith("Operating")] == ["Operating System :: POSIX :: Linux"]
    assert [one for one in stated if re.search(r":: 3\.\d+$", one)] == [
        "Programming Language :: Python :: 3.11"
    ]
    assert PRIVATE in stated
    assert ("Typing :: Typed" in stated) == bool([*ROOT.glob(f"{folder}/src/*/py.typed")])
    # a license expression stands alone: both together are refused by indexes
    assert [one for one in stated if one.startswith("License ::")] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_readme_stands_alone_as_it_does_in_a_wheel(folder: str) -> None:
    text, stated = readme(folder), project(folder)
    assert text.startswith(f"# {stated['name']}\n")
    assert re.findall(r"\]\(", text) == []
    assert [page for page in re.findall(r"`(docs/[\w.-]+)`", text) if not (ROOT / page).exists()] == []
    assert "pip install wheels/" in text
    assert re.search(r"^```(console|python)$", text, re.M), "no example that test_commands runs"


def test_the_five_agree_with_one_another_and_with_the_citation() -> None:
    same = ("version", "license", "authors", "requires-python", "urls")
    stated = [{name: project(folder).get(name) for name in same} for folder in FOLDERS]
    assert all(one == stated[0] for one in stated)
    cited = citation()
    assert canonicalize_license_expression(stated[0]["license"]) == stated[0]["license"] == cited["license"]
    assert cited["version"] == stated[0]["version"]
    assert cited["authors"] == stated[0]["authors"]


def test_no_address_is_stated_while_none_is_known() -> None:
    assert [folder for folder in FOLDERS if "urls" in project(folder)] == []
    assert {"url", "doi", "repository", "repository-code", "identifiers"} & {*citation()} == set()


def test_the_citation_is_valid_by_its_schema() -> None:
    assert refused(citation()) == set()


def test_the_schema_refuses_a_citation_without_authors_or_with_a_member_of_another_name() -> None:
    assert refused({name: value for name, value in citation().items() if name != "authors"}) == {"$"}
    assert refused(citation() | {"date-released": "soon"}) == {"$['date-released']"}
    assert refused(citation() | {"licence": "Apache-2.0"}) == {"$"}
