"""The tables of docs/properties.md are those that the code computes."""

import re

import pytest
from maintenance.property_counts import PAGE, page, pairs

from ternary_sdk.logic import PROPERTIES


def test_the_page_has_the_tables_that_the_code_computes() -> None:
    text = PAGE.read_text("utf-8")
    assert text == page(text), "run 'python -m maintenance.property_counts'"


def test_a_page_with_a_wrong_count_is_mended() -> None:
    text = PAGE.read_text("utf-8")
    assert "3,774" in text
    assert page(text.replace("3,774", "3,775")) != text.replace("3,774", "3,775")


def test_a_page_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the page has no '<!-- table: meanings -->' with an"):
        page("# Properties\n")


def test_the_last_number_of_a_row_counts_the_property_alone() -> None:
    rows = [re.findall(r"[0-9,]+", row.split("`")[2]) for row in list(pairs())[2:]]
    assert [len(row) for row in rows] == list(range(1, len(PROPERTIES) + 1))
    assert [row[-1] for row in rows][:4] == ["729", "113", "729", "1,680"]
