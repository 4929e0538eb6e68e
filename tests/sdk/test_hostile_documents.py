from stress.tokens import sweep


def test_damaged_documents_raise_nothing_but_our_own_errors() -> None:
    """A short part of what ``make stress`` runs over a million documents."""
    found = sweep(2_000, seed=20260301)
    readers = {outcome.split(":")[0] for outcome in found}
    assert readers == {"license", "key set", "revocation list", "usage report", "clock mark", "sealed key"}
    assert sum(number for outcome, number in found.items() if "accepted" not in outcome) > 1_900
