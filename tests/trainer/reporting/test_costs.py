"""What a report says a model takes: bits of a latent, bytes of a decoder, core-seconds and their price."""

import dataclasses
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.trainer.validation.conftest import Ideal, of_space, subject

from ternary_export.reach import margins
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import checkpoint, run
from ternary_trainer.compute import Price
from ternary_trainer.model import initial
from ternary_trainer.reporting import costs
from ternary_trainer.reporting.compressed import compressed
from ternary_trainer.reporting.content import collect
from ternary_trainer.reporting.page import to_html
from ternary_trainer.validation import opening
from ternary_trainer.validation.checks import validate
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.verdict import verdict

OLD = Path(__file__).parents[1] / "run_2"


def without(_):
    """What is reached, where nobody asks."""
    return {}


class Blind:
    """A path without an encoder."""

    def index(self, latents):
        return np.zeros(len(latents), np.int64)


class Lossy(Ideal):
    """A path that takes the first operation for the second."""

    def index(self, latents):
        return np.maximum(super().index(latents), 1)


def test_a_latent_that_holds_the_cells_needs_as_many_bits_as_the_index():
    found = compressed(subject(decoder_parameters={"A": 100}), "A", None)
    assert found.uniform == found.learned == pytest.approx(math.log2(TERNARY_2.size))
    assert (found.stored, found.weights) == (512, 400)
    assert found.elbo == "not known without its run"


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Blind(), "no encoder"),
        (Lossy(), "none: 1 operations do not decode from their own latent"),
    ],
)
def test_a_path_that_has_no_code_says_why(network, reason):
    found = compressed(subject(network), "A", None)
    assert (found.uniform, found.learned, found.weights) == (reason, reason, "not known")


def test_a_space_that_takes_too_long_is_not_searched():
    found = compressed(of_space(Space(5, 1), latent_size=8), "B", None)
    assert found.uniform == pytest.approx(math.log2(3125))
    large = dataclasses.replace(of_space(Space(2, 3)), signature=Signature(Space(7, 1), 8, ("A", "B")))
    assert compressed(large, "A", None).uniform == "not measured in spaces of more than 131,072 operations"


def test_a_runs_negative_elbo_is_that_of_the_snapshots_epoch(finished):
    found = compressed(opening.run_subject(finished, without), "B", finished)
    record = finished.history[finished.best().epoch]
    assert found.elbo == pytest.approx(record.paths["B"].elbo / math.log(2))


def test_weights_are_counted_in_a_run_and_in_a_file(finished, tmp_path):
    checkpoint.save(tmp_path / "kept.pt", state=initial(1).state_dict(), epoch=0)
    file = opening.checkpoint_subject(checkpoint.load(tmp_path / "kept.pt"), tmp_path / "kept.pt", without)
    run_ = opening.run_subject(finished, without)
    assert run_.decoder_parameters == file.decoder_parameters == {"A": 4411, "B": 71_707}


@pytest.fixture(scope="module")
def content(finished):
    of = opening.run_subject(finished, margins)
    outcomes = validate(of, Thresholds(), only=["latent-spectrum"])
    found = verdict(of, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    return collect(of, found, run=finished)


def test_the_page_has_bits_and_bytes_of_each_path(content):
    assert costs.compression_header(content) == ("", "path A", "path B")
    rows = {name: figures for name, *figures in costs.compression(content)}
    assert rows["bits that name one of 19,683 operations"] == ["14.27", "14.27"]
    assert rows["bytes of the decoder's weights as float32"] == ["17,644", "286,828"]
    assert rows["bytes of a list of all operations, no gaps"] == ["35,097", "35,097"]
    page = to_html(content).decode()
    assert page.index("<h2>Compute") < page.index("<h2>Compression") < page.index("<h2>The checks")
    assert "<td>286,828</td>" in page


def test_bits_are_rounded_up_but_not_for_an_error_of_floats():
    assert [costs._figure(bits) for bits in (14.261, 8.000000000000002, 8.0)] == ["14.27", "8.00", "8.00"]


def test_the_page_has_what_each_stretch_of_the_training_took(content, finished):
    took = finished.compute()
    until, after, saved = costs.compute_rows(content)
    assert until == (
        "until the snapshot that is shipped",
        str(took.until.epochs),
        f"{took.until.seconds:,.1f}",
        f"{took.until.core_seconds:,.1f}",
    )
    assert (after[0], saved) == ("after it", ("saved by stopping, estimated", "0", "0.0", "0.0"))
    assert costs.compute(content) == [costs.CORE_SECONDS]
    assert f"<td>{until[3]}</td>" in to_html(content).decode()


def test_a_price_is_told_where_it_was_given(content, finished):
    price = Price(per_core_hour=3600.0, currency="EUR")
    priced = dataclasses.replace(content, price=price)
    assert costs.compute_header(priced)[-1] == "price"
    assert costs.compute_rows(priced)[0][-1] == price.shown(finished.compute().until.core_seconds)
    assert costs.compute(priced)[-1] == (
        "The price is that of the core-seconds, at 3,600 EUR for an hour of one core."
    )
    assert " EUR" not in to_html(content).decode()


def test_a_run_of_an_older_release_is_shown_in_wall_time(content):
    priced = Price(per_core_hour=0.04, currency="EUR")
    old = dataclasses.replace(content, run=run.open(OLD), price=priced)
    assert costs.compute(old)[0] == costs.NO_CORE_SECONDS
    assert [row[3:] for row in costs.compute_rows(old)] == [("not recorded", "not known")] * 3


def test_time_on_a_gpu_is_said_not_to_be_counted(content, finished):
    there = dataclasses.replace(finished, facts={**finished.facts, "device": "NVIDIA H100"})
    assert costs.compute(dataclasses.replace(content, run=there))[1] == (
        "It was trained on NVIDIA H100; the time of a GPU is not counted."
    )
