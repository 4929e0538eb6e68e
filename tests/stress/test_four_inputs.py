"""All 65,536 four-input Boolean operations, from the recipe that ships to a meter that is full."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import whole_way

from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    text: str
    err: str


@pytest.mark.stress
def test_four_input_boolean_operations_go_the_whole_way(tmp_path: Path) -> None:
    def ternary(*words: object, stdin: bytes = b"") -> Done:
        command = [Path(sys.executable).with_name("ternary"), *map(str, words)]
        ran = subprocess.run(command, cwd=tmp_path, input=stdin, capture_output=True, check=False)
        return Done(status=ran.returncode, text=ran.stdout.decode(), err=ran.stderr.decode())

    whole_way.go(ternary, tmp_path, "boolean-4", Space(2, 4))
