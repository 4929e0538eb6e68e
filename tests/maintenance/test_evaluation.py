"""The evaluation package can be made anew, and nobody can sign another one under its trust file."""

import pytest
from maintenance import evaluation

from ternary_sdk import Model


@pytest.mark.slow
def test_it_can_be_made_anew_under_keys_that_are_not_kept(release, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_BYTES", 2_000_000)  # a poor model's certificate is long
    with Model.evaluation() as shipped:
        before = shipped.package.signed_by
    (tmp_path / "made").mkdir()
    assert evaluation.main([str(tmp_path / "made"), str(release / "run")]) == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    assert set(files) == {f"evaluation.{kind}" for kind in ("ternary", "license", "trust")}
    assert not any(b"PRIVATE KEY" in data for data in files.values())
    package, license, trust = (files[f"evaluation.{kind}"] for kind in ("ternary", "license", "trust"))
    with Model.open(package, license=license, trust=trust) as model:
        assert model.package.signed_by != before
        assert len(model.sample(100, unique=True, seed=7)) == 100


def test_its_maker_takes_a_directory_and_may_take_a_run(capsys, tmp_path):
    for words in ([], ["a", "b", "c"]):
        assert evaluation.main(words) == 2
        assert capsys.readouterr().err == "usage: python -m maintenance.evaluation DIR [RUN]\n"
    assert evaluation.main([str(tmp_path), str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'run.json'}: ")
    assert list(tmp_path.iterdir()) == []
