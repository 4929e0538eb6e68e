"""Rows as the commands read them: two-input ternary operations, and their latents."""

from ternary_cli import row_reader
from ternary_cli.kinds import latents_of, operations_of
from ternary_sdk.space import TERNARY_2


def read_operations(data, what):
    return row_reader.read(data, operations_of(TERNARY_2), what).values


def read_latents(data, what):
    return row_reader.read(data, latents_of(16), what).values
