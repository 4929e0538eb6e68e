"""What a training took, divided at the epoch that is shipped, and its price."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.trainer.test_choose import record

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import history, run
from ternary_trainer.compute import Price, Stretch, spent
from ternary_trainer.run import Run

OLD = Path(__file__).parent / "run_2"
HISTORY = [replace(record(epoch), seconds=2.0, core_seconds=3.0 + epoch) for epoch in range(7)]


def test_epochs_up_to_the_shipped_one_count_and_those_after_it_are_wasted() -> None:
    found = spent(HISTORY, 4, 0)
    assert found.until == Stretch(epochs=5, seconds=10.0, core_seconds=25.0)
    assert found.after == Stretch(epochs=2, seconds=4.0, core_seconds=17.0)
    assert found.saved == Stretch(epochs=0, seconds=0.0, core_seconds=0.0)


def test_what_stopping_saved_is_estimated_by_the_mean_of_the_last_five() -> None:
    assert spent(HISTORY, 4, 10).saved == Stretch(epochs=10, seconds=20.0, core_seconds=70.0)


def test_a_history_that_lacks_one_core_second_figure_has_wall_time_alone() -> None:
    found = spent([replace(HISTORY[0], core_seconds=None), *HISTORY[1:]], 4, 10)
    assert not found.measured
    assert [stretch.core_seconds for stretch in found.stretches.values()] == [None, None, None]
    assert [stretch.seconds for stretch in found.stretches.values()] == [10.0, 4.0, 20.0]


def test_a_run_without_an_epoch_took_nothing() -> None:
    nothing = Stretch(epochs=0, seconds=0.0, core_seconds=0.0)
    assert list(spent([], 0, 0).stretches.values()) == [nothing] * 3


def test_a_training_measures_its_processor_time_and_its_ending_states_it(finished: Run) -> None:
    assert all(record.core_seconds and record.core_seconds > 0 for record in finished.history)
    written = json.loads((finished.path / run.SUMMARY).read_text())["compute"]
    assert written == asdict(finished.summary().compute)
    found = finished.compute()
    assert found.until.epochs == finished.best().epoch + 1
    assert found.until.epochs + found.after.epochs == len(finished.history)


def test_the_stretches_follow_the_rule_of_choice(finished: Run) -> None:
    assert finished.compute("elbo").until.epochs == finished.best("elbo").epoch + 1


def test_a_run_of_an_older_release_has_wall_time_alone() -> None:
    old = run.open(OLD).compute()
    assert not old.measured
    assert old.until.seconds + old.after.seconds == pytest.approx(
        sum(record.seconds for record in run.open(OLD).history)
    )


@pytest.mark.parametrize("field", ["seconds", "core_seconds"])
@pytest.mark.parametrize("value", ["long", -1.0, True])
def test_a_record_whose_time_is_none_is_refused(
    copied: Callable[[], Path], field: str, value: object
) -> None:
    path = copied() / history.NAME
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {field: value}), *rest]))
    with pytest.raises(FormatError) as refused:
        history.read(path.parent)
    assert str(refused.value) == f"{path}, line 1: is no record of an epoch"


def test_a_price_is_of_core_hours() -> None:
    price = Price(per_core_hour=0.04, currency="EUR")
    assert price.of(Stretch(epochs=1, seconds=1.0, core_seconds=7200.0)) == pytest.approx(0.08)
    assert price.of(Stretch(epochs=1, seconds=7200.0, core_seconds=None)) is None
    assert price.money(spent(HISTORY, 4, 0)) == {
        "per_core_hour": 0.04,
        "currency": "EUR",
        "until": pytest.approx(25 * 0.04 / 3600),
        "after": pytest.approx(17 * 0.04 / 3600),
        "saved": 0.0,
    }


def test_an_amount_has_two_decimals_or_three_figures() -> None:
    price = Price(per_core_hour=0.04, currency="EUR")
    amounts = 0.0, 0.00122222, 0.5, 1.239, 12345.678, 1e-20
    assert [price.shown(amount) for amount in amounts] == [
        "0.00 EUR", "0.00122 EUR", "0.500 EUR", "1.24 EUR", "12,345.68 EUR", "0.000000000000 EUR",
    ]  # fmt: skip


@pytest.mark.parametrize("price", [0.0, -0.04, 1e10, float("nan")])
def test_a_price_out_of_range_is_refused(price: float) -> None:
    with pytest.raises(InputError) as refused:
        Price(per_core_hour=price, currency="EUR")
    assert str(refused.value) == f"price per core-hour: {price:g}, expected above 0 and at most 1e+09"


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "EU\n"])
def test_a_currency_that_is_no_code_is_refused(currency: str) -> None:
    with pytest.raises(InputError) as refused:
        Price(per_core_hour=0.04, currency=currency)
    assert str(refused.value) == (
        f"currency: {currency!r}, expected three capital letters such as EUR or USD"
    )
