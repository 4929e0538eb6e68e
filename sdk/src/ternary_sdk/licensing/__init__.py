"""Whom to believe and what is allowed: trust, licenses, clock, machine, meter."""
