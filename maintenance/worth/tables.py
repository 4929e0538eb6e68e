"""``python -m maintenance.worth.tables [FILE]``: the tables of docs/experiments.md from the result file."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from maintenance.worth.features import CELLS, SETS
from maintenance.worth.searching import PRIMARY

RESULTS: Final = Path("docs/experiments/worth.json")
REGIMES: Final = ("a tenth", "four fifths", "families")


def tables(result: Mapping[str, Any]) -> Iterator[str]:
    """Lines of Markdown, for those parts that were measured."""
    if "downstream" in result:
        yield from _downstream(result["downstream"]["summary"])
    for part in ("search", "search-3", "search-3-again"):
        if "summary" in result.get(part, {}):
            yield ""
            yield from _search(result[part]["summary"])
    if "compression" in result:
        yield ""
        yield from _compression(result["compression"])


def _downstream(summary: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "| network, from | "
        + " | ".join(f"{regime}: {what}" for regime in REGIMES for what in ("properties", "cost"))
        + " |"
    )
    yield "|---" * 7 + "|"
    for name in SETS:
        cells = []
        for regime in REGIMES:
            for figure in ("auc", "cost"):
                found = summary[f"{regime}/network/{figure}"][name]
                gap = found.get("against one-hot cells")
                beside = "" if gap is None else f" ({gap['mean']:+.3f} ± {gap['half']:.3f})"
                cells.append(f"{found['mean']:.3f}{beside}")
        yield f"| {'**' + name + '**' if name == CELLS else name} | " + " | ".join(cells) + " |"


def _search(summary: Mapping[str, Any]) -> Iterator[str]:
    figures = sorted(summary, key=lambda figure: (not figure.startswith("best"), len(figure), figure))
    yield "| | " + " | ".join(figures) + " |"
    yield "|---" * (len(figures) + 1) + "|"
    for name in summary[figures[0]]["mean"]:
        yield f"| {name} | " + " | ".join(f"{summary[f]['mean'][name]:.2f}" for f in figures) + " |"
    for name, other in PRIMARY.items():
        gaps = [summary[figure][f"{name} less {other}"] for figure in figures]
        cells = [f"{gap['mean']:+.2f} ± {gap['half']:.2f}, p {gap['p, Holm']:.2g}" for gap in gaps]
        yield f"| *{name} less {other}* | " + " | ".join(cells) + " |"


def _compression(found: Mapping[str, Any]) -> Iterator[str]:
    yield "| | bits for an operation | whole bits for each dimension | entropy | decoder, bytes |"
    yield "|---|---|---|---|---|"
    bits = found["log2 of the operations"]
    yield f"| index, a formula | {bits:.2f} | 15 | {bits:.2f} | {found['formula, bytes']} |"
    for name, size in found["list, bytes"].items():
        yield f"| list, {name} | {bits:.2f} | 15 | {bits:.2f} | {size:,} |"
    for path, own in found["paths"].items():
        size = own["decoder, bytes"]
        for kind in ("uniform", "learned"):
            code = own[kind]
            bits = f"{code['bits']:.2f} | {code['separate bits']} | {code['entropy']:.2f}"
            decoder = f"{size['weights, float32']:,}; ONNX {size['as shipped, ONNX']:,}"
            yield f"| path {path}, {kind} | {bits} | {decoder} |"
        yield f"| path {path}, -ELBO | {own['negative ELBO, bits']['in all']:.2f} | | | |"
        yield f"| path {path}, float32 | {found['float32 latent']} | {found['float32 latent']} | | |"


if __name__ == "__main__":
    results = Path(sys.argv[1]) if sys.argv[1:] else RESULTS
    sys.stdout.write("\n".join(tables(json.loads(results.read_text("utf-8")))) + "\n")
