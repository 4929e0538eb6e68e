"""
Long sweeps. ``make test`` runs a short version of each; ``make stress`` runs all of it, with
``--hypothesis-profile stress``.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "stress",
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
