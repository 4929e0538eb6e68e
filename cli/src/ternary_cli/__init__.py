"""The ``ternary`` command: thin shells over the SDK and, with [vendor], over the vendor's packages."""
