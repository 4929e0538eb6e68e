"""What ``ternary_sdk.exchange`` gives out: the file formats of logic designers, written and read."""
