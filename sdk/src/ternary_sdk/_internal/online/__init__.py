"""Talking to a license server; needs the extra ``online``."""
