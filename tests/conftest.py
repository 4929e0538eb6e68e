"""Untrained models for tests of what holds for any model; trained ones come from the evaluation package."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings
from tests import scheduling
from tests.sharing import made_once

from ternary_export.build import Build
from ternary_export.packaging import package
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.packages import archive, oms
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.manifest_entries import Member
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.trust.trust import Role

# Tests compute on the processor and print the same, whichever torch is installed and whether there is a GPU.
os.environ["CUDA_VISIBLE_DEVICES"] = ""

# Sessions of several processes use every core already. More threads in each would wait for one another,
# which costs three times the processor time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is no reason to fail.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
settings.register_profile(
    "stress",
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if settings.get_current_profile_name() != "stress":
        left_out = [item for item in items if item.get_closest_marker("stress")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    scheduling.longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``--dist loadfile`` documents are given out scene by scene."""
    return scheduling.scheduler(config, log) if config.getoption("dist") == "loadfile" else None


State = dict[str, npt.NDArray[np.float32]]

LAYERS = {
    **{
        f"encoder_{path}.encoder.{n}": shape
        for path in "AB"
        for n, shape in ((0, (256, 9)), (2, (128, 256)), (4, (64, 128)))
    },
    **{f"encoder_{path}.{head}": (16, 64) for path in "AB" for head in ("fc_mu", "fc_logvar")},
    "decoder_A.decoder.0": (32, 16),
    "decoder_A.decoder.2": (64, 32),
    "decoder_A.decoder.4": (27, 64),
    "decoder_B.fc_in": (128, 16),
    **{f"decoder_B.residual{n}.block.{layer}": (128, 128) for n in (1, 2) for layer in (0, 2)},
    "decoder_B.fc_out": (27, 128),
}
"""Weight shapes of both paths, written out from the description of the model and not from its code."""


@pytest.fixture(scope="session")
def untrained() -> Callable[[int], State]:
    """Makes a random snapshot of the right shapes; it reaches a part of the space."""

    def make(seed: int) -> State:
        random = np.random.default_rng(seed)
        state: State = {}
        for layer, (out, size) in LAYERS.items():
            state[f"{layer}.weight"] = (2 * random.normal(size=(out, size)) / np.sqrt(size)).astype(
                np.float32
            )
            state[f"{layer}.bias"] = (0.3 * random.normal(size=out)).astype(np.float32)
        return state

    return make


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """The keys that sign ``shipped``; no test may change them."""
    issued = datetime(2026, 1, 1, tzinfo=UTC)
    return keyring.create(tmp_path_factory.mktemp("vendor") / "keys", "Acme Logic", issued)


@pytest.fixture(scope="session")
def build(untrained: Callable[[int], State]) -> Build:
    """An untrained model, exported and certified: it reaches a part of the space."""
    import torch

    from ternary_export.export import export
    from ternary_trainer.checkpoint import Checkpoint
    from ternary_trainer.model import initial

    tensors = {name: torch.from_numpy(array) for name, array in untrained(1).items()}
    source = Checkpoint(state={**initial(1).state_dict(), **tensors}, epoch=7, source="cd" * 32, details={})
    return export(source, released=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))


@pytest.fixture(scope="session")
def shipped(build: Build, vendor: KeyRing) -> bytes:
    """The untrained model as a package, ``acme-1.0.0.ternary``."""
    return package(build, name="acme", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))


@pytest.fixture(scope="session")
def forge(shipped: bytes, vendor: KeyRing) -> Callable[[Build], bytes]:
    """Signs ``shipped`` with another build's graphs and certificate in it, whatever that says of them."""
    key = vendor.signer(Role.PACKAGE)

    def sealed(payload: bytes) -> Envelope:
        signature = dsse.one_form(key.sign(dsse.pae(payload)), "test")
        return Envelope(payload=payload, keyid=key.kid, signature=signature)

    def make(build: Build) -> bytes:
        certificate = sealed(build.certificate.to_statement()).to_bytes()
        members = {**archive.decode(shipped), **build.graphs, "coverage.json": certificate}
        manifest = Manifest.read(members["manifest.json"])
        entries = tuple(
            Member(name=entry.name, sha256=sha256(data).hexdigest(), size=len(data))
            for entry in manifest.members
            for data in [members[entry.name]]
        )
        best = build.certificate.best_path.path
        members["manifest.json"] = replace(manifest, default_path=best, members=entries).to_bytes()
        digests = {name: sha256(data).hexdigest() for name, data in members.items() if name != "model.sig"}
        members["model.sig"] = oms.write(sealed(oms.statement(manifest.label, digests)), key.public)
        return archive.encode(list(members.items()))

    return make


@pytest.fixture(scope="session")
def lay_checkout() -> Callable[[Path], None]:
    """Copies the sources into a folder, as a clone of them; this environment is its ``.venv``."""
    root = Path(__file__).parents[1]
    folders = "sdk", "trainer", "export", "LICENSE_SERVER", "cli", "examples"
    files = ".gitignore", "Makefile", "constraints.txt", "dev.py"

    def lay(folder: Path) -> None:
        made = shutil.ignore_patterns("__pycache__", "dist", "build")
        for name in folders:
            shutil.copytree(root / name, folder / name, ignore=made)
        for name in files:
            shutil.copy(root / name, folder)
        (folder / ".venv").symlink_to(sys.prefix)

    return lay


@pytest.fixture(scope="session")
def stored() -> Path:
    """The checkpoint that v5.5's own program wrote after epoch 104, where this machine has it."""
    file = Path(__file__).parents[2] / "shared" / "data" / "v5_5_epoch104.pt"
    if not file.exists():
        pytest.skip("the trained v5.5 checkpoint is not on this machine")
    return file


@pytest.fixture(scope="session")
def quick_recipe() -> Path:
    """A recipe file: the default recipe, cut to seconds."""
    return Path(__file__).parents[1] / "examples" / "quick.toml"


@pytest.fixture(scope="session")
def release(quick_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a vendor's commands leave behind, from keys to a license: a short training, but a real one.

    The processes of one test session share it, so no test may change it.
    """
    return made_once("release", tmp_path_factory, lambda folder: _type_a_release(quick_recipe, folder))


def _type_a_release(recipe: Path, folder: Path) -> None:
    for line in (
        "keys init keys --vendor 'Acme Logic'",
        f"train --recipe {recipe} --out run",
        "export run --out build",
        "package build --name acme --version 1.0.0 --keys keys --out acme-1.0.0.ternary",
        "license issue --package acme-1.0.0.ternary --to Initech --expires 2035-12-31 --keys keys "
        "--out acme.license",
    ):
        command = [str(Path(sys.executable).parent / "ternary"), *shlex.split(line)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    shutil.copy(folder / "keys" / "vendor.trust", folder / "acme.trust")
