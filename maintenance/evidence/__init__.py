"""One source for every figure that README quotes: measured by one command, kept in ``docs/evidence.json``."""
