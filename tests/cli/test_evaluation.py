"""The evaluation package: it answers where nothing is configured and needs no state."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ternary_sdk
from ternary_sdk import Model
from ternary_sdk._internal.licensing import clock
from ternary_sdk._internal.licensing.state import for_vendor
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.space import TERNARY_2

SAID = "no package chosen: this is the SDK's evaluation package; choose with options or 'ternary use'\n"


def shell(line, folder):
    scripts = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={"PATH": f"{scripts}{os.pathsep}/usr/bin:/bin", "HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_answers_at_once_and_says_so(ternary):
    done = ternary("sample", "--unique", "-n", 10, "--seed", 7)
    assert done.status == 0
    assert len({line.split(",")[0] for line in done.text.splitlines()}) == 11
    assert done.err.startswith(SAID)
    assert done.err.count("\n") == 2


def test_what_is_sampled_encoded_and_decoded_is_what_was_sampled(tmp_path):
    sampled = shell(
        "ternary sample --unique -n 2000 --seed 7 | tee sampled | ternary encode | ternary decode", tmp_path
    )
    assert sampled.returncode == 0
    assert sampled.stdout == (tmp_path / "sampled").read_text()
    assert len(sampled.stdout.splitlines()) == 2001


def test_it_leaves_nothing_behind(tmp_path):
    assert shell("ternary sample | ternary encode | ternary decode", tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_it_reaches_everything_on_both_paths_and_not_one_more(ternary):
    with Model.evaluation() as model:
        for claim in model.certificate.paths:
            assert len(claim.reachable.operations) == TERNARY_2.size
            assert claim.at(50_000).coverage > 0.905
    done = ternary("sample", "--unique", "-n", TERNARY_2.size + 1)
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        f"{SAID}error: 19,684 different operations were asked for, but the certified model reaches 19,683\n"
    )


def test_its_license_never_ends_and_grants_everything(ternary):
    shown = ternary("license", "show", "--json")
    assert '"expires": null' in shown.text
    assert '"unique_operations": null' in shown.text
    assert shown.text.count('"allowed"') == 3


@pytest.mark.parametrize("command", [["sample"], ["license", "show"], ["info"], ["verify"]])
def test_a_clock_mark_that_was_removed_is_missed_by_every_command(ternary, tmp_path, command):
    shipped = Path(ternary_sdk.__file__).parent / "evaluation" / "evaluation.trust"
    trust, now = Trust.read(shipped.read_bytes()), datetime.now(UTC)
    place = for_vendor(trust.root.kid, tmp_path / "state")
    clock.remember(place, replace(trust, version=2), now, signed=now)
    (file,) = place.glob("clock-*.jws")
    file.unlink()
    done = ternary(*command, "--state", tmp_path / "state")
    assert (done.status, done.out) == (1, b"")
    assert done.err.startswith(f"{SAID}error: {file}: the highest time this installation has seen ")
