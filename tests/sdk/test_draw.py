import pickle
import re
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.draw import Draw
from ternary_sdk.errors import InputError
from ternary_sdk.logic import to_code
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2


@pytest.fixture
def draw() -> Draw:
    index = np.array([3, 19_682, 3, 0], dtype=np.int32)
    return Draw(index=index, latents=CURRENT.prior(1, 0, 4), seed=1, path="A")


def test_what_was_drawn_cannot_be_overwritten_and_what_is_looked_up_can(draw: Draw) -> None:
    again = pickle.loads(pickle.dumps(draw))
    for held in (draw.index, draw.latents, draw.latents.reshape(-1), again.index, again.latents):
        with pytest.raises(ValueError, match=r"^assignment destination is read-only$"):
            held[0] = 7
    mine = draw.operations
    mine[0] = 1
    np.asarray(draw)[0] = 1
    frame = draw.to_pandas()
    frame.iloc[0] = 1
    assert draw.index.tolist() == [3, 19_682, 3, 0]
    assert np.array_equal(draw.operations, TERNARY_2.tables[[3, 19_682, 3, 0]])


def test_a_draw_leaves_the_arrays_it_is_given_as_they_are() -> None:
    index, latents = np.array([3], dtype=np.int32), np.zeros((1, 16), np.float32)
    draw = Draw(index=index, latents=latents, seed=1, path="A")
    assert index.flags.writeable
    assert draw.index.base is index
    assert np.shares_memory(draw.latents, latents)


def test_a_draw_holds_its_truth_tables_and_the_digest_of_its_set(draw: Draw) -> None:
    assert np.array_equal(draw.operations, TERNARY_2.tables[[3, 19_682, 3, 0]])
    assert draw.digest == OperationSet.of([0, 3, 19_682]).digest
    assert repr(draw) == (
        f"<Draw of 4 rows, 3 different operations of 19,683, path A, seed 1, digest {draw.digest[:12]}…>"
    )


def test_as_an_array_it_is_its_truth_tables(draw: Draw) -> None:
    array = np.asarray(draw)
    assert (array.dtype, array.shape) == (np.int8, (4, 9))
    assert np.array_equal(array, draw.operations)
    assert np.array(draw, dtype=np.float32).dtype == np.float32
    with pytest.raises(InputError) as refusal:
        np.array(draw, copy=False)
    assert str(refusal.value) == (
        "copy: False, expected None or True: a draw keeps indices, not truth tables"
    )


def test_as_a_data_frame_each_row_is_labelled_by_its_operation(draw: Draw) -> None:
    frame = draw.to_pandas()
    assert frame.columns.tolist() == [f"t{trit}" for trit in range(9)]
    assert frame.index.tolist() == [3, 19_682, 3, 0]
    assert np.array_equal(frame.loc[19_682].to_numpy(), np.ones(9))


def test_as_an_arrow_table_index_and_latents_share_the_draws_memory(draw: Draw) -> None:
    table = draw.to_arrow()
    assert table.column("operation").to_pylist() == draw.operations.tolist()
    index = table.column("index").chunk(0)
    assert index.buffers()[1].address == draw.index.ctypes.data
    values = table.column("latent").chunk(0).values
    assert values.buffers()[1].address == draw.latents.ctypes.data
    with pytest.raises(ValueError, match=r"^assignment destination is read-only$"):
        draw.index[0] = 7
    assert index.to_pylist() == [3, 19_682, 3, 0]


def test_a_library_that_is_installed_and_broken_is_not_called_missing(
    draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pandas.py").write_text("import a_part_of_pandas\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    with pytest.raises(InputError) as caught:
        draw.to_pandas()
    assert str(caught.value) == (
        "pandas: is installed and cannot be imported (No module named 'a_part_of_pandas')"
    )


def test_a_library_that_is_not_installed_is_named(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"^pandas: is not installed; run 'pip install pandas'$"):
        draw.to_pandas()


def test_the_notebook_table_shows_codes_and_squares(draw: Draw) -> None:
    html = draw._repr_html_()
    assert html.count("<tr>") == 5
    assert "<tr><th>index</th><th>code</th><th>operation</th></tr>" in html
    rows = re.findall(r"<tr><td>(\d+)</td><td><code>(.*?)</code></td><td><svg .*?<title>(.*?)</title>", html)
    assert rows == [(str(i), to_code(i), f"operation {i}") for i in draw.index.tolist()]
    assert html.count("<rect ") == 9 * len(draw)
    assert "<style>" not in html  # it would be one for the whole notebook


def test_the_notebook_table_looks_up_only_the_rows_it_shows() -> None:
    rows = 1_000_000
    draw = Draw(
        index=np.zeros(rows, np.int32), latents=np.broadcast_to(np.float32(0), (rows, 16)), seed=1, path="A"
    )
    draw._repr_html_()
    tracemalloc.start()
    try:
        html = draw._repr_html_()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert html.count("<tr>") == 11
    assert html.endswith("<p>… and 999,990 more</p>")
    assert peak < 9 * rows // 2
