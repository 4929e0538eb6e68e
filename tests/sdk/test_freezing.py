"""The PyInstaller hook in the SDK's wheel; ``make stress`` freezes a program with it and runs it."""

import runpy
from importlib.metadata import entry_points
from pathlib import Path

import ternary_sdk

PACKAGE = Path(ternary_sdk.__path__[0])


def hook() -> dict[str, object]:
    (entry,) = entry_points(group="pyinstaller40", name="hook-dirs").select(module="ternary_sdk.freezing")
    (folder,) = entry.load()()
    return runpy.run_path(str(Path(folder) / "hook-ternary_sdk.py"))


def test_the_hook_takes_every_file_along_that_is_not_a_module() -> None:
    taken = hook()["datas"]
    assert isinstance(taken, list)
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert {
        PACKAGE / "evaluation" / f"evaluation.{kind}" for kind in ("ternary", "license", "trust")
    } <= files
    ours = {(Path(source), target) for source, target in taken if Path(source).is_relative_to(PACKAGE)}
    assert ours == {(path, str(path.parent.relative_to(PACKAGE.parent))) for path in files}


def test_the_hook_takes_along_the_versions_that_doctor_shows() -> None:
    taken = hook()["datas"]
    assert isinstance(taken, list)
    targets = " ".join(target for _, target in taken)
    for name in ("ternary_sdk-", "numpy-", "onnxruntime-", "cryptography-"):
        assert f"{name}" in targets, name


def test_libraries_that_only_types_name_are_not_frozen() -> None:
    assert hook()["excludedimports"] == ["pandas", "pyarrow"]
