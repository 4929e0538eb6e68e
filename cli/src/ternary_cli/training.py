"""
``ternary train``: train both paths of a model.
"""

from ternary_cli.vendor_extra import vendor_extra


def train() -> None:
    """Vendor: train both paths of a model."""
    with vendor_extra("ternary train"):
        import ternary_trainer  # noqa: F401
