"""Usage reports under fire: billed once, none lost unseen, whatever is lost, repeated or restored."""

from collections import Counter

import pytest
from hypothesis import settings
from stress import usage as under_fire
from stress.databases import address, postgresql

from ternary_license_server.keys import keyring
from ternary_license_server.service import segments
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.decoded import Decoded
from ternary_sdk.space import Space

SPACES = [Space(3, 3), Space(4, 2)]
SHORT = {"sqlite": ([106, 113], 24), "postgresql": ([113], 24)}
LONG = {"sqlite": (range(60), 300), "postgresql": (range(60, 80), 300)}


@pytest.mark.parametrize("kind", ["sqlite"] if postgresql() is None else ["sqlite", "postgresql"])
def test_usage_reports_under_fire_are_billed_once_and_none_is_lost(kind, tmp_path, monkeypatch, tally):
    monkeypatch.setattr(usage, "MOST_ADDED", 5)
    monkeypatch.setattr(segments, "LARGEST", 8)
    monkeypatch.setattr(segments, "DECODED", Decoded(most=60))
    long = settings.get_current_profile_name() == "stress"
    seeds, steps = (LONG if long else SHORT)[kind]
    ring = keyring.create(tmp_path / "keys", "Stress", under_fire.START)
    found: Counter[str] = Counter()
    for seed in seeds:
        with address(kind, tmp_path) as url:
            found += under_fire.play(url, ring, seed=seed, steps=steps, space=SPACES[seed % 2])
    counts = {f"{name} on {kind}": count for name, count in found.items()}
    tally["steps of usage reports"] = tally.get("steps of usage reports", {}) | counts
    assert {"SEND_ALL", "lost", "restarted", "parts", "restore"} <= (+found).keys()
