"""Whom to believe: a vendor's keys, their roles, and what was revoked."""
