"""
The SDK inside a program: open once, then draw, encode and decode.

Usage: embedded_client.py [PACKAGE LICENSE TRUST], by default the SDK's evaluation package.
"""

import sys

from ternary_sdk import Model, TernaryError
from ternary_sdk.coverage import percent, perfect_percent


def use(model: Model) -> None:
    draw = model.sample(1000, unique=True, seed=7)
    latents = model.encode(draw.operations)
    same = (model.decode(latents) == draw.operations).all()

    certified = model.certificate.best_path
    share = certified.at(50_000)
    print(f"{len(draw):,} different operations, set {draw.digest[:12]}…")
    print(
        f"path {certified.path} covers {percent(share.coverage)} % at 50,000 draws; "
        f"perfect draws, on average {perfect_percent(50_000)} %"
    )
    print("decoding what was encoded gives", "the same operations" if same else "other operations")
    print("first:", draw.operations[0].tolist(), "has index", draw.index[0])


def main(files: list[str]) -> int:
    try:
        with Model.open(files[0], license=files[1], trust=files[2]) if files else Model.evaluation() as model:
            use(model)
    except TernaryError as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
