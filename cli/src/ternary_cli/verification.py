"""
``ternary verify``: whether a package, a certificate or a signed folder is what it says.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from ternary_cli.options import (
    ForceOption,
    JsonOption,
    LicenseOption,
    MachineOption,
    StateOption,
    TrustOption,
    argument,
    large,
    option,
    size,
)
from ternary_cli.options import seed as seed_option

VerifiedArgument = Annotated[
    Path | None,
    argument("FILE", "A .ternary package, else the pinned or evaluation one; or a signed folder."),
]
ReplayOption = Annotated[bool, option("--replay", text="Also recompute the certified draws.")]
BlocksOption = Annotated[
    int | None,
    large("--blocks", metavar="K", text="In a vast space, replay K blocks of each path, chosen at random."),
]
EvidenceOption = Annotated[
    Path | None, option("--evidence", metavar="OUT.json", text="Write what was checked, with each result.")
]
ModelOption = Annotated[
    Path | None, option("--model", metavar="DECODER.onnx", text="FILE is a certificate of this decoder.")
]
RecountOption = Annotated[
    int | None, large("--recount", metavar="N", text="Draw N rows with a seed of your own, such as 1e8.")
]
SeedOption = Annotated[
    int | None,
    seed_option(
        "--seed", metavar="S", text="Of the recount, in digits or 0x and hex; default: a random one."
    ),
]
RecountedPathOption = Annotated[
    str | None,
    option("--path", metavar="P", text="The path to recount; default: the package's default path."),
]
ClusterOption = Annotated[
    str | None,
    option("--cluster", metavar="ADDRESS", text="Recount on a Dask cluster: its scheduler's address."),
]
FolderOption = Annotated[
    Path | None,
    option("--folder", metavar="DIR", text="For the recount's files; default: a temporary one."),
]
ResumeOption = Annotated[bool, option("--resume", text="Go on with an interrupted recount's files.")]
MemoryOption = Annotated[
    int | None, size("--memory", metavar="SIZE", text="Of all workers, as 2G; default: 256M each.")
]
EncoderOption = Annotated[
    Path | None, option("--encoder", metavar="ENCODER.onnx", text="Prove the encodings too.")
]


def verify(
    package: VerifiedArgument = None,
    trust: TrustOption = None,
    license: LicenseOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    replay: ReplayOption = False,
    blocks: BlocksOption = None,
    evidence: EvidenceOption = None,
    force: ForceOption = False,
    model: ModelOption = None,
    encoder: EncoderOption = None,
    recount: RecountOption = None,
    seed: SeedOption = None,
    path: RecountedPathOption = None,
    cluster: ClusterOption = None,
    folder: FolderOption = None,
    resume: ResumeOption = False,
    memory: MemoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a package's signatures and prove its certificate."""
    from ternary_cli.files import expect_place
    from ternary_cli.wanted import Wanted, Wish

    wish = Wish(
        draws=recount, seed=seed, path=path, cluster=cluster, folder=folder, resume=resume, memory=memory
    )
    asked = Wanted(replay=replay, blocks=blocks, recount=wish, evidence=evidence)
    asked.check()
    expect_place(evidence, force=force)
    of_packages: Mapping[str, object] = {
        "--license": license,
        "--machine-id": machine_id,
        "--replay": replay,
        "--blocks": blocks,
        "--recount": recount,
        "--evidence": evidence,
    }
    graphs: Mapping[str, object] = {"--model": model, "--encoder": encoder}
    if package is not None and package.is_dir():
        from ternary_cli.signed_folder import verify_folder

        _refuse({**of_packages, **graphs}, "of a folder only the signature is verified")
        verify_folder(package, trust, state, as_json=as_json)
    elif any(graphs.values()):
        from ternary_cli.replaying import verify_certificate

        _refuse(of_packages, "a certificate needs no license and its draws are always replayed")
        verify_certificate(package, model, encoder, trust, state, as_json=as_json)
    else:
        from ternary_cli.proving import verify_package

        verify_package(package, license, trust, machine_id, state, asked=asked, as_json=as_json)


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Refuse options that would otherwise be passed over in silence."""
    from ternary_sdk.errors import InputError

    for name, value in given.items():
        if value:
            raise InputError(f"{name}: {why}; leave it out")
