"""
A machine that never sees a network: what it needs comes on a disk, what must be compared comes on paper.

    air_gapped_client.py id TRUST                           the id to send to the vendor
    air_gapped_client.py draw PACKAGE LICENSE TRUST ROOT    a draw, if the root key is the one on paper

The vendor answers the id with `ternary license issue --machine ID …`. Where a machine has no identity of
its own, as a container, it is given one with --as NAME.
"""

import argparse
import sys
from pathlib import Path

from ternary_sdk import Model, TernaryError, Trust, identify


def refuse_network(event: str, _arguments: object) -> None:
    if event.startswith("socket."):
        raise RuntimeError(f"something tried to use the network: {event}")


def draw(package: str, license: str, trust: str, root: str, name: str | None) -> None:
    found = Trust.read(Path(trust).read_bytes()).root.kid
    if found != root:
        raise SystemExit(f"error: {trust} has the root {found}, the paper says {root}")
    with Model.open(package, license=license, trust=trust, machine_id=name) as model:
        for index in model.sample(5, unique=True, seed=7).index:
            print(index)


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Draw operations without a network.")
    parser.add_argument("--as", dest="name", metavar="NAME", help="this machine's identity, if it has none")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("id").add_argument("trust")
    drawing = commands.add_parser("draw")
    for argument in ("package", "license", "trust", "root"):
        drawing.add_argument(argument)
    given = parser.parse_args(words)
    try:
        if given.command == "id":
            vendor = Trust.read(Path(given.trust).read_bytes()).root.kid
            print(identify(vendor, explicit=given.name).id)
        else:
            draw(given.package, given.license, given.trust, given.root, given.name)
    except TernaryError as refusal:
        raise SystemExit(f"error: {refusal}") from None


if __name__ == "__main__":
    sys.addaudithook(refuse_network)
    main(sys.argv[1:])
