"""``ternary server usage`` reads pages until the server names no next one, and prints them as one."""

import json

from ternary_cli import server
from ternary_cli.terminal import show_json_lists

LINE = dict.fromkeys(server._USAGE_CSV, 1) | {"license": "L-1", "customer_name": "Initech", "space": "3,2"}
LINE |= {"share_of_space": "0.1", "quota": None, "share_of_quota": None}
FLAG = {"license": "L-1", "customer": "C-1", "installation": "i", "received": 1, "lost": 2, "space": "3,2"}
FLAG |= {"restarted": False}
PAGES = {
    None: {"lines": [LINE], "customers": [], "flagged": [], "next": "one"},
    "one": {"lines": [LINE], "customers": [{"customer": "C-1"}], "flagged": [], "next": "two"},
    "two": {"lines": [], "customers": [], "flagged": [FLAG], "next": None},
}


class Pages:
    """Answers of a server, by the place that they go on from."""

    def get(self, path, after=None, limit=0):
        assert (path, limit) == ("/usage", 1000)
        return PAGES[after]


def test_json_of_usage_has_the_rows_of_every_page(capsys):
    show_json_lists({"start": 1}, server._PARTS, server._usage_rows(Pages(), {}))
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "start": 1,
        "lines": [LINE, LINE],
        "customers": [{"customer": "C-1"}],
        "flagged": [FLAG],
    }


def test_table_of_usage_has_the_lines_and_the_flags_follow(capsys):
    server._show_usage(server._usage_rows(Pages(), {}), as_csv=True)
    came = capsys.readouterr()
    assert came.out.count("L-1") == 2
    assert came.err.count("warning: license L-1 of C-1") == 1
