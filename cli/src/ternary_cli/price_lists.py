"""
Price lists as vendors write them: TOML or JSON, in which what is usual may be left out.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ternary_cli.files import read_text
from ternary_sdk._internal.documents import plain
from ternary_sdk.errors import FormatError

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.price_list import PriceList

MAX_PRICES: Final = 64 << 10
_USUAL: Final[dict[str, Any]] = {
    "exponent": 2,
    "unit": "operation",
    "base": 0,
    "included": 0,
    "minimum": None,
    "cap": None,
}
_USUAL_TIER: Final[dict[str, Any]] = {"up_to": None, "per": 1}


def read_prices(file: Path) -> "PriceList":
    """Read a price list; the name ends in ``.toml`` or ``.json``.

    Raises:
        FormatError: If it is malformed or contradicts itself.
        InputError, FileError: If it is too large or cannot be read.
    """
    from ternary_sdk._internal.pricing.price_list import FORMAT, ROUNDING, PriceList

    stated = _decoded(file)
    if not isinstance(stated, dict):
        raise FormatError(f"{file}: expected an object, as docs/license-server.md shows")
    _refuse_fractions(stated, str(file))
    written = {"format": FORMAT, "rounding": ROUNDING} | _USUAL | stated
    tiers = written.get("tiers")
    if isinstance(tiers, list):
        written["tiers"] = [_USUAL_TIER | tier if isinstance(tier, dict) else tier for tier in tiers]
    return PriceList.read(written, str(file))


def _refuse_fractions(value: Any, path: str) -> None:
    """Refuse a number with a point, which TOML and JSON allow and prices do not."""
    if isinstance(value, float):
        raise FormatError(
            f"{path}: {value} is not a whole number; amounts are in the smallest unit of the currency, "
            "and 'per' says for how many operations one is"
        )
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        _refuse_fractions(one, f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}")


def _decoded(file: Path) -> Any:
    text = read_text(file, most=MAX_PRICES)
    if file.suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise FormatError(f"{file}: not TOML: {error}") from None
    if file.suffix != ".json":
        raise FormatError(f"{file}: expected a name that ends in .toml or .json")
    return plain.decode(text.encode())
