"""
What docs/formats.md says of vast spaces, sections 1, 3 and 6, written out from the page alone.

Nothing here is the SDK's: it is what another implementation would write. Run as a program it prints
``vast.json``, whose figures are pinned.
"""

import hashlib
import json
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, getcontext, localcontext
from fractions import Fraction
from functools import cache
from typing import Any, Final

from tests.vectors.streams import aes_ctr

SPACES: Final = {"4,2": 4**16, "3,3": 3**27, "5,2": 5**25}
ALPHA: Final = Fraction(1, 10**6)


def gaps(numbers: Sequence[int]) -> bytes:
    """Section 1."""
    written, before = bytearray(), -1
    for number in numbers:
        gap, before = number - before - 1, number
        while gap > 127:
            written.append(gap & 127 | 128)
            gap >>= 7
        written.append(gap)
    return bytes(written)


def uniform(seed: int, entry: int, size: int) -> int:
    """Section 3: domain 3."""
    words, top = aes_ctr(seed, 3, entry), 2**64 // size * size
    return next((word for word in words if word < top), words[3]) % size


def leaf(rows: Sequence[int | None]) -> bytes:
    """Section 6: None is a near tie."""
    told = b"".join(b"\xff" * 8 if row is None else row.to_bytes(8, "little") for row in rows)
    return hashlib.sha256(b"\0" + told).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def at_most(found: int, trials: int, share: Decimal) -> Decimal:
    """P(B <= found), term by term from the largest down, to 30 digits."""
    with localcontext() as context:
        context.prec = 60
        log = found * share.ln() + (trials - found) * (1 - share).ln() + choices(trials, found)
        term = total = log.exp()
        for k in range(found, 0, -1):
            term *= k * (1 - share) / (share * (trials - k + 1))
            total += term
            if term < total * Decimal("1e-31"):
                break
        return total


@cache
def choices(trials: int, found: int) -> Decimal:
    """The logarithm of how many ways there are to choose."""
    with localcontext() as context:
        context.prec = 60
        factors = (Decimal(trials - found + k).ln() - Decimal(k).ln() for k in range(1, found + 1))
        return sum(factors, Decimal())


def share_at_most(found: int, trials: int, alpha: Fraction = ALPHA) -> str:
    """Section 6: the smallest multiple of 10^-9 where P(B <= found) <= alpha."""
    if found == trials:
        return "1.000000000"
    bound = Decimal(alpha.numerator) / Decimal(alpha.denominator)
    low, high = found * 10**9 // trials, 10**9  # at the first it is above the bound, at the last it is 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if at_most(found, trials, Decimal(middle).scaleb(-9)) <= bound else (middle, high)
        )
    return f"{Decimal(high).scaleb(-9):.9f}"


def share_at_least(failures: int, trials: int) -> str:
    return f"{1 - Decimal(share_at_most(failures, trials)):.9f}"


def repeats_at_most(clear: int, distinct: int) -> str:
    """Section 6: U."""
    with localcontext() as context:
        context.prec = 60
        log = Decimal(10**6).ln()
        square = (log.sqrt() + (clear - distinct + log).sqrt()) ** 2
        return f"{square.quantize(Decimal('1e-6'), rounding=ROUND_CEILING):f}"


def shown(faces: int, throws: int) -> Decimal:
    """Section 6: g."""
    with localcontext() as context:
        context.prec = 80
        return faces * (1 - (1 - 1 / Decimal(faces)) ** throws) if throws else Decimal(0)


def effective_number(clear: int, distinct: int, size: int) -> int:
    """Section 6: X."""
    varied = clear - Decimal(repeats_at_most(clear, distinct))
    low, high = 0, size + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if shown(middle, clear) <= varied else (low, middle)
    return low


def perfect_distinct(clear: int, size: int) -> int:
    return int(shown(size, clear).to_integral_value(rounding=ROUND_FLOOR))


def evenness(draws: int, near_ties: int, counts: tuple[int, int, int, int], size: int) -> dict[str, Any]:
    """The member ``evenness`` of a path, from D, f1, f2 and the pairs."""
    distinct, once, twice, pairs = counts
    clear, perfect = draws - near_ties, perfect_distinct(draws - near_ties, size)
    return {
        "draws": draws, "near_ties": near_ties, "near_tie_share_at_most": share_at_most(near_ties, draws),
        "clear": clear, "distinct": distinct, "once": once, "twice": twice, "pairs": str(pairs),
        "repeats_at_most": repeats_at_most(clear, distinct),
        "effective_number": str(effective_number(clear, distinct, size)),
        "perfect": {
            "distinct": perfect, "effective_number": str(effective_number(clear, perfect, size)),
        },
    }  # fmt: skip


NEAR_TIES: Final = {"A": [5, 6, 70_000, 131_071], "B": [9]}
FAILURES: Final = [17, 4000]
LEAVES: Final = {
    path: [hashlib.sha256(f"{path}{block}".encode()).digest() for block in range(count)]
    for path, count in (("A", 4), ("B", 1))
}


def binary() -> dict[str, bytes]:
    """The binary members of which ``statement`` speaks."""
    return {
        **{f"blocks_{path}.bin": b"".join(leaves) for path, leaves in LEAVES.items()},
        **{f"near_ties_{path}.bin": gaps(positions) for path, positions in NEAR_TIES.items()},
        "failures_A.bin": gaps(FAILURES),
    }


def statement() -> bytes:
    """A Statement of two-input quaternary operations: path A with an encoder, B without."""
    graphs = ("decoder_A.onnx", "decoder_B.onnx", "encoder_A.onnx")
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in graphs}

    def described(data: bytes) -> dict[str, Any]:
        return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}

    def path(letter: str, even: dict[str, Any]) -> dict[str, Any]:
        seed = hashlib.sha256(b"ternary-coverage-v2" + bytes.fromhex(digests[f"decoder_{letter}.onnx"]))
        leaves = LEAVES[letter]
        return {
            "path": letter, "decoder": f"decoder_{letter}.onnx", "seed": seed.hexdigest()[:16],
            "evenness": even, "near_ties": described(gaps(NEAR_TIES[letter])),
            "blocks": {"rows": 65536, "count": len(leaves), "root": root(leaves).hex()},
        }  # fmt: skip

    size = SPACES["4,2"]
    both = bytes.fromhex(digests["decoder_A.onnx"] + digests["encoder_A.onnx"])
    first = path("A", evenness(200_000, 4, (199_992, 199_988, 4, 4), size)) | {
        "encoder": "encoder_A.onnx",
        "reachable": {
            "seed": hashlib.sha256(b"ternary-reachable-v2" + both).hexdigest()[:16],
            "operations": 100_000, "failures": 2, "failed": described(gaps(FAILURES)),
            "share": share_at_least(2, 100_000),
        },
    }  # fmt: skip
    second = path("B", evenness(1000, 1, (600, 400, 100, 1000), size))
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digests[name]}} for name in graphs],
        "predicateType": "urn:ternary:coverage:3",
        "predicate": {
            "kind": "vast", "space": {"radix": 4, "inputs": 2}, "latent_size": 16, "alpha": "0.000001",
            "margin": "0.001", "released": 1770091445, "computed_with": {"onnxruntime": "1.32.0"},
            "paths": [first, second],
        },
    }  # fmt: skip
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def figures() -> dict[str, Any]:
    """Everything that ``vast.json`` pins."""
    lists = ([], [0], [3, 4, 200], [0, 1, 2**63 - 1], [127, 255, 16_640])
    shares = ((0, 10**7), (3, 10**7), (1, 1), (0, 1), (850, 10**6), (8000, 10**7), (990, 1000))
    counts = ((10**7, 9_988_367), (10**9, 892_117_358), (10**9, 999_934_434), (1000, 1000), (1000, 3), (0, 0))
    return {
        "gaps": [[numbers, gaps(numbers).hex()] for numbers in lists],
        "uniform": {
            name: [uniform(7, entry, size) for entry in range(12)] for name, size in SPACES.items()
        },
        "leaf": leaf([1, None, 4**16 - 1]).hex(),
        "roots": [root([bytes([n]) * 32 for n in range(k)]).hex() for k in range(1, 9)],
        "shares": [[found, trials, share_at_most(found, trials)] for found, trials in shares],
        "numbers": [
            [clear, distinct, name, repeats_at_most(clear, distinct),
             effective_number(clear, distinct, SPACES[name]), perfect_distinct(clear, SPACES[name])]
            for clear, distinct in counts for name in ("4,2", "3,3")
        ],
    }  # fmt: skip


if __name__ == "__main__":
    getcontext().prec = 60
    print(json.dumps(figures(), indent=1))
