from collections import Counter

from stress.tokens import accepted_damage, sweep

READERS = {"license", "key set", "revocation list", "usage report", "clock mark", "sealed key"}


def test_damaged_documents_are_all_refused_and_only_with_our_own_errors() -> None:
    """A short part of what ``make stress`` runs over a million documents."""
    found = sweep(2_000, seed=20260301)
    assert {outcome.split(":")[0] for outcome in found} == {
        f"{reader}, {how}" for reader in READERS for how in ("damaged", "signed again")
    }
    assert accepted_damage(found) == Counter()


def test_sweep_that_accepts_damage_is_told_from_one_that_accepts_what_was_signed() -> None:
    found = Counter({"license, damaged: accepted": 1, "license, signed again: accepted": 2})
    assert accepted_damage(found) == Counter({"license, damaged: accepted": 1})
    assert accepted_damage(Counter({"license, damaged: MALFORMED": 3})) == Counter()
