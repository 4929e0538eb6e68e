"""
The model card: what a package is, in words for the person who decides whether to buy it.

Every figure is read from the certificate; a share is rounded down and never stands without its number of
draws and what perfect draws cover with as many.
"""

from collections.abc import Iterator
from typing import Final

from ternary_export import vast_card
from ternary_export.provenance import Origin, Parity, Provenance
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import PathCoverage, Prior
from ternary_sdk._internal.certificates.reading import AnyCertificate
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.identity import Version, format_version
from ternary_sdk.coverage import percent, perfect_percent

_KINDS: Final = {"run": "a training run", "checkpoint": "a stored checkpoint"}


def model_card(name: str, version: Version, certificate: AnyCertificate, provenance: Provenance) -> str:
    """Write a package's card.

    Args:
        name: The package's name.
        version: Its version.
        certificate: Where the figures come from.
        provenance: Where the weights come from.
    Returns:
        Markdown, ending with a newline.
    """
    sections = [
        f"# {name} {format_version(version)}",
        _introduction(certificate),
        *(_vast(certificate) if isinstance(certificate, VastCertificate) else _listed(certificate)),
        "## Where it comes from",
        _origin(provenance),
        "## What it is for, and what not",
        _USE,
        "## Check it yourself",
        _CHECK if certificate.space.listed else vast_card.CHECK,
    ]
    return "\n\n".join(sections) + "\n"


def _listed(certificate: Certificate) -> list[str]:
    best = certificate.best_path
    return [
        f"Path {best.path} is used by default: {coverage_sentence(best.headline)}.",
        "## What it covers",
        _coverage_table(certificate.paths),
        _READING,
        "## What it is certified to reach",
        "\n".join(_reach_line(path) for path in certificate.paths),
    ]


def _vast(certificate: VastCertificate) -> list[str]:
    best = certificate.best_path
    return [
        f"Path {best.path} is used by default: {vast_card.headline(best)}.",
        "## What it draws",
        vast_card.draws_table(certificate.paths),
        vast_card.READING,
        "## What it is certified to reach",
        "\n".join(vast_card.reach_line(path) for path in certificate.paths),
    ]


def _introduction(certificate: AnyCertificate) -> str:
    space, encodes = certificate.space, any(path.encoder is not None for path in certificate.paths)
    *most, last = (f"{value:+d}" if value > 0 > space.lowest else str(value) for value in space.values)
    numbers = f"{certificate.latent_size} numbers"
    what = (
        f"draws operations, encodes one as {numbers}, and decodes such numbers back to an operation"
        if encodes
        else f"draws operations and decodes {numbers} to an operation"
    )
    return (
        f"A learned model of {space.title} logic: each of the {space.size:,} possible operations is a truth "
        f"table of {space.cells} entries, each {', '.join(most)} or {last}. The model {what}."
    )


def coverage_sentence(prior: Prior) -> str:
    """Coverage as it is quoted everywhere, with its number of draws and beside perfect draws."""
    return (
        f"{percent(prior.coverage)} % of all operations in {prior.draws:,} draws; perfect draws, on average "
        f"{perfect_percent(prior.draws, prior.space)} %"
    )


def _coverage_table(paths: tuple[PathCoverage, ...]) -> str:
    draws = [prior.draws for prior in paths[0].prior]
    rows = [
        ["path", *(f"{n:,} draws" for n in draws)],
        ["---"] * (1 + len(draws)),
        *([path.path, *(_cell(prior) for prior in path.prior)] for path in paths),
        [
            "perfect draws, on average",
            *(f"{perfect_percent(prior.draws, prior.space)} %" for prior in paths[0].prior),
        ],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(prior: Prior) -> str:
    return f"{prior.operations:,} ({percent(prior.coverage)} %)"


def _reach_line(path: PathCoverage) -> str:
    reached, size = len(path.reachable.operations), path.space.size
    means = reached - len(path.reachable.streamed)
    return (
        f"- Path {path.path}: {reached:,} of {size:,} operations ({percent(reached / size)} %), "
        f"each with a recorded input that decodes to it: {means:,} the model's own encoding, "
        f"{reached - means:,} found among the draws. Smallest margin between the two best classes: "
        f"{path.reachable.smallest_margin}."
    )


def _origin(provenance: Provenance) -> str:
    origin = provenance.origin
    lines = [*(_brought if origin.kind == "onnx" else _snapshot)(origin)]
    lines.append(f"- Weights: SHA-256 `{origin.weights}`.")
    if origin.recipe is not None:
        lines.append(
            f"- Recipe: {origin.recipe}" + (f", seed {origin.seed}." if origin.seed is not None else ".")
        )
    for graph in provenance.graphs:
        lines.append(f"- `{graph.member}`: {graph.parameters:,} weights and biases.")
    lines.extend(_compared(parity, provenance) for parity in provenance.parity)
    return "\n".join(lines)


def _snapshot(origin: Origin) -> Iterator[str]:
    epoch = "an epoch that is not stated" if origin.epoch is None else f"epoch {origin.epoch}"
    yield f"- Trained snapshot: {epoch} of {_KINDS[origin.kind]}."
    yield f"- Why this one: {origin.reason.rstrip('.')}."
    yield f"- Snapshot file: SHA-256 `{origin.file}`."


def _brought(origin: Origin) -> Iterator[str]:
    both = origin.encoder_file is not None
    yield f"- A decoder {'and an encoder that were' if both else 'that was'} brought as ONNX."
    yield "- How the model was trained is not stated here, and nothing here rests on it."
    yield f"- Decoder's file: SHA-256 `{origin.file}`."
    if both:
        yield f"- Encoder's file: SHA-256 `{origin.encoder_file}`."


def _compared(parity: Parity, provenance: Provenance) -> str:
    onnx, inputs = provenance.origin.kind == "onnx", parity.inputs(provenance.signature.space)
    against = "the ONNX that was given" if onnx else "the trained network"
    means = "" if parity.mean is None else f"encodings differ by at most {parity.mean}, "
    logits = f"logits {'by' if means else 'differ by at most'} {parity.logits}"
    return (
        f"- Path {parity.path} against {against}, {inputs}: {means}{logits}; "
        f"{parity.operations:,} decode to the same."
    )


_READING = """\
A figure counts the different operations among that many independent draws. The seed of the draws follows \
from the decoder's own bytes, so a vendor who wants another count must change a weight, and each such try \
costs one count. Perfect draws are uniform and independent: no independent draws cover more on average. The \
number after ± is the standard deviation of one count, so a single count can be above that average."""

_USE = """\
For designers of multi-valued logic who need many different operations, compact encodings of them, and proof \
of how much of the space a model reaches. Draws are not exactly uniform: at any number of draws the distance \
to perfect draws says how far. Distances between encodings carry no promise. What is certified is coverage; \
how the operations perform in a circuit is not."""

_CHECK = """\
`ternary verify FILE` checks the signatures and proves every operation certified as reachable again, on your \
machine. `coverage.json` states everything needed to recompute the figures above in any language."""
