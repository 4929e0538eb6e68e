"""
Which operations of a vast space are trained on, chosen by, and held out: a rule, because no list can be made.

An operation's part, 0 to 9, is a keyed hash of its index: the AES-128 encryption of the index (16 bytes,
little-endian) under a published key; the first 8 bytes of the result, little-endian, modulo 10. Part 0 is the
true holdout and part 1 is chosen by, as a tenth each is in a listed space. Whole families are held out beside
them. Changing the rule makes the figures of all models of vast spaces incomparable.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from torch import Tensor

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import seeds
from ternary_trainer.families import Family, belongs, defined
from ternary_trainer.split import Operations

_LABEL: Final = "ternary-holdout-v1"
_PARTS: Final = 10
HOLDOUT: Final = 0
VALIDATION: Final = 1
HELD_FAMILIES: Final[tuple[Family, ...]] = ("commutative", "balanced")
"""Held out as a whole, where a space has them."""
_ASKED: Final = 1.4
"""Operations drawn for one that is wanted: about three quarters are trained on."""


def rule(space: Space) -> str:
    """SHA-256 of the text `ternary-holdout-v1/RADIX,INPUTS`, 64 hex digits; the first 32 are the key."""
    return hashlib.sha256(f"{_LABEL}/{space}".encode()).hexdigest()


def part(indices: npt.NDArray[np.int64], space: Space) -> npt.NDArray[np.int64]:
    """The part of each operation, 0 to 9.

    Args:
        indices: Canonical indices, shape (n,).
        space: Of the operations.
    """
    blocks = np.zeros((len(indices), 2), "<u8")
    blocks[:, 0] = indices
    # One block by itself is what ECB is for: nothing is kept secret here.
    cipher = Cipher(algorithms.AES128(bytes.fromhex(rule(space)[:32])), modes.ECB())
    hashed = np.frombuffer(cipher.encryptor().update(blocks.tobytes()), "<u8")[::2]
    return (hashed % _PARTS).astype(np.int64)


def held_families(space: Space) -> tuple[Family, ...]:
    """The families that are held out as a whole."""
    return tuple(family for family in HELD_FAMILIES if family in defined(space))


@dataclass(frozen=True)
class VastSplit:
    """The rule of a space, with a family that a recipe holds out besides."""

    space: Space
    family: Family | None = None

    def __post_init__(self) -> None:
        if self.family is not None and self.family not in defined(self.space):
            raise InputError(
                f"family '{self.family}': needs two inputs or more, operations of {self.space} have one"
            )

    @property
    def families(self) -> tuple[Family, ...]:
        """All families that are held out."""
        asked = () if self.family in (None, *held_families(self.space)) else (self.family,)
        return (*held_families(self.space), *asked)

    def training(self, count: int, random: torch.Generator) -> Operations:
        """Fresh operations to train on, uniform among those that nothing holds out, shape (count, cells)."""
        return self._drawn(count, random, range(VALIDATION + 1, _PARTS), self.families)

    def trainable(self, digits: npt.NDArray[np.int64]) -> Tensor:
        """Which operations, digits of shape (n, cells), may be trained on, bool, shape (n,)."""
        return self._allowed(digits, range(VALIDATION + 1, _PARTS), self.families)

    def validation(self, count: int, random: torch.Generator) -> Operations:
        """Operations that snapshots are chosen by: of part 1, and of no family that is held out."""
        return self._drawn(count, random, [VALIDATION], self.families)

    def holdout(self, count: int, random: torch.Generator) -> Operations:
        """Operations of the true holdout, part 0, whatever family they are of."""
        return self._drawn(count, random, [HOLDOUT], ())

    def _drawn(
        self, count: int, random: torch.Generator, parts: "range | list[int]", without: tuple[Family, ...]
    ) -> Operations:
        asked = int(_ASKED * count * _PARTS / max(1, len(parts)) * 0.8) + 64
        kept: list[Tensor] = []
        while sum(map(len, kept)) < count:
            size = (asked, self.space.cells)
            drawn = torch.randint(self.space.radix, size, generator=random, device=random.device)
            kept.append(drawn[self._allowed(drawn.cpu().numpy(), parts, without)])
        return Operations.of(torch.cat(kept)[:count], self.space)

    def _allowed(
        self, digits: npt.NDArray[np.int64], parts: "range | list[int]", without: tuple[Family, ...]
    ) -> Tensor:
        allowed = np.isin(part(digits @ self.space.places, self.space), parts)
        tables = (digits + self.space.lowest).astype(np.int8)
        for family in without:
            allowed &= ~belongs(family, tables, self.space)
        return torch.from_numpy(allowed)


def validation(space: Space, count: int, family: Family | None, device: torch.device) -> Operations:
    """Operations that every run of a space chooses by, the same for all seeds.

    Args:
        space: That they are of.
        count: How many.
        family: What a recipe holds out besides.
        device: Where they are needed.
    """
    random = seeds.generator(0, f"validation operations of {space}")
    drawn = VastSplit(space, family).validation(count, random)
    return Operations(space=space, tables=drawn.tables.to(device), classes=drawn.classes.to(device))


def digests(space: Space, count: int, family: Family | None) -> dict[str, str]:
    """What a run records: SHA-256 of the rule's text, and of the set of operations that it chooses by."""
    chosen = validation(space, count, family, torch.device("cpu")).classes.numpy() @ space.places
    members = np.unique(chosen).astype("<i8")
    return {"rule": rule(space), "validation": hashlib.sha256(members.tobytes()).hexdigest()}


def members(family: Family, space: Space, count: int, random: torch.Generator) -> Operations:
    """Uniform members of a family that is held out everywhere, each by itself: some may be the same.

    Args:
        family: One of ``held_families``.
        space: That the operations are of.
        count: How many.
        random: Where the numbers come from.
    """
    device = random.device
    if family == "commutative":
        cells, orbits = _orbits(space)
        digits = torch.randint(space.radix, (count, orbits), generator=random, device=device)
        return Operations.of(digits[:, cells.to(device)], space)
    # Balanced: each digit as often as the others, in an order that is uniform among all orders.
    order = torch.rand((count, space.cells), generator=random, device=device, dtype=torch.float64).argsort(1)
    return Operations.of(order % space.radix, space)


@cache
def _orbits(space: Space) -> tuple[Tensor, int]:
    """Which cells hold the same answer if the order of inputs never matters: a number for each cell."""
    arguments = [tuple(sorted(_inputs(cell, space))) for cell in range(space.cells)]
    numbers = {inputs: number for number, inputs in enumerate(sorted(set(arguments)))}
    return torch.tensor([numbers[inputs] for inputs in arguments]), len(numbers)


def _inputs(cell: int, space: Space) -> tuple[int, ...]:
    return tuple(cell // space.radix**place % space.radix for place in range(space.inputs))
