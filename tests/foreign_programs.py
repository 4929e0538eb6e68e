"""
Programs of other people that read what we write: Berkeley ABC, Icarus Verilog and Yosys.

A test that needs one skips where it is missing, and fails if CI=true.
"""

import os
import re
import shutil
import subprocess

import pytest

PACKAGES = {"berkeley-abc": "berkeley-abc", "iverilog": "iverilog", "vvp": "iverilog", "yosys": "yosys"}
"""The Debian package of each."""


def program(name):
    """Its path."""
    found = shutil.which(name)
    if found is None:
        why = f"{name} is not installed; 'apt-get install {PACKAGES[name]}' enables this test"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


def output(*words, folder):
    """What a program prints, on either stream; it must succeed."""
    done = subprocess.run(
        [program(words[0]), *map(str, words[1:])],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def simulated(folder, *files, top=None):
    """The lines that a simulation of Verilog files prints, compiled without a warning."""
    at_top = [] if top is None else ["-s", top]
    program("vvp")
    assert output("iverilog", "-g2005", "-Wall", *at_top, "-o", "bench", *files, folder=folder) == ""
    return output("vvp", "-n", "bench", folder=folder).splitlines()


def truth_table(folder, script, inputs, out):
    """What Yosys computes of a design: the bits of the output for each combination of input bits."""
    command = f"{script}; tee -o table.txt eval -table {','.join(inputs)} -show {out}"
    output("yosys", "-q", "-p", command, folder=folder)
    rows = re.findall(r"^ *((?:\d+'[01]+ +)+)\| +\d+'([01x]+)$", (folder / "table.txt").read_text(), re.M)
    return {tuple(re.findall(r"'([01]+)", given)): result for given, result in rows}
