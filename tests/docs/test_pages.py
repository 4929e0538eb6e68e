import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_placeholder_left_and_no_link_that_leads_nowhere(page: Path) -> None:
    text = page.read_text("utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^[A-Z]{3,}$", prose, flags=re.MULTILINE)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
        assert (page.parent / target).exists(), target


def test_readme_links_every_page_of_the_docs() -> None:
    linked = set(re.findall(r"\]\(([^)#:]+)", (ROOT / "README.md").read_text("utf-8")))
    pages = {page.relative_to(ROOT) for page in ROOT.glob("docs/**/*.md")}
    assert {str(page) for page in pages if not {str(page), f"{page.parent}/"} & linked} == set()


OURS = r"ternary[-_](?:cli|export|license[-_]server|sdk|trainer)"
FROM_AN_INDEX = re.compile(rf"pip3? install\b[^\n]*?[\s'\"`]{OURS}(?![\w-]*-\d|-\*)")
"""A command that names a distribution of ours without a path, so that pip looks for it on an index."""
WRITTEN = {".cfg", ".ini", ".ipynb", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
NOT_OURS = {".venv", ".git", "wheels", "client", "vendor", "demo"}


def sources() -> Iterator[Path]:
    """What is written here; folders of other people's files are not entered."""
    for place, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (Path(place, name) for name in names if Path(name).suffix in WRITTEN)


def test_nothing_says_to_install_a_distribution_of_ours_from_an_index() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in sorted(sources())
        if file != Path(__file__)
        for match in FROM_AN_INDEX.finditer(file.read_text("utf-8"))
    ]
    # tests/cli/test_wheels.py shows what happens to whoever does it
    assert found == ["tests/cli/test_wheels.py: pip install --no-deps --find-links wheels ternary-sdk"]


@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        ("pip install 'ternary-cli[vendor]'", True),
        ("pip install --quiet ternary-sdk", True),
        ("pip install --find-links wheels 'ternary-trainer[report]==0.1.0'", True),
        ("pip install wheels/*.whl 'wheels/ternary_trainer-0.1.0-py3-none-any.whl[report]'", False),
        ("client/bin/pip install wheels/ternary_sdk-*.whl wheels/ternary_cli-*.whl", False),
        ("pip install pandas", False),
    ],
)
def test_a_command_that_asks_an_index_is_known_by_its_form(line: str, forbidden: bool) -> None:
    assert bool(FROM_AN_INDEX.search(line)) == forbidden
