"""What ``ternary_sdk.logic`` gives out: codes, names, properties, classes and counted sets of operations."""
