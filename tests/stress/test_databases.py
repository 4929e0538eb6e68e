"""Databases under fire: every one there is, and a sentence where one is left out."""

import pytest
from stress import databases


@pytest.fixture
def on_each(tmp_path):
    """Runs on databases, each with the verdict that its address calls for, and keeps which they were."""
    seen = []

    def run(given=None, **verdicts):
        def judge(url):
            seen.append(url.partition(":")[0])
            return verdicts.get(seen[-1], 0)

        return databases.on_each(judge, tmp_path, given), seen

    return run


def test_without_postgresql_one_sentence_says_so(on_each, capsys, monkeypatch):
    monkeypatch.delenv(databases.VARIABLE, raising=False)
    monkeypatch.delenv("CI", raising=False)
    assert on_each() == (0, ["sqlite"])
    assert capsys.readouterr().out == (
        "sqlite:\n"
        "PostgreSQL: skipped; set TERNARY_TEST_POSTGRESQL to the address of a database, or CI=true to try "
        "postgresql://127.0.0.1/test\n"
    )


@pytest.mark.skipif(databases.postgresql() is None, reason="there is no PostgreSQL")
def test_where_there_is_postgresql_it_is_next_and_each_verdict_counts(on_each, capsys):
    assert on_each() == (0, ["sqlite", "postgresql"])
    assert capsys.readouterr().out == "sqlite:\npostgresql:\n"
    assert on_each(sqlite=3)[0] == 3
    assert on_each(postgresql=4)[0] == 4


def test_given_database_is_the_only_one(on_each, capsys):
    assert on_each("sqlite:///x", sqlite=5) == (5, ["sqlite"])
    assert capsys.readouterr().out == ""
