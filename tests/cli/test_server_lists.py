"""Lists of a server for people and programs, and what is accepted where an id stands."""

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from tests.serving import hosted

from ternary_license_server.keys import keyring

MOMENT = r"20\d\d-\d\d-\d\d \d\d:\d\d"


@pytest.fixture
def server(tmp_path, vendor, monkeypatch):
    """A server on a new SQLite file, its first token in the environment."""
    with hosted(vendor.directory, f"sqlite:///{tmp_path / 'server.sqlite3'}") as (address, token):
        monkeypatch.setenv("TERNARY_SERVER_URL", address)
        monkeypatch.setenv("TERNARY_SERVER_TOKEN", token)
        yield address


@pytest.fixture
def sold(ternary, server, shipped, vendor, tmp_path):
    """A released product, a policy of 20 days, and a license of Initech by it."""
    (package := tmp_path / "acme.ternary").write_bytes(shipped)
    facts(ternary("server", "release", package, "--trust", vendor.directory / keyring.TRUST_FILE, "--json"))
    words = ["--product", "acme", "--days", "20", "--seats", "2", "--offline", "3", "--json"]
    facts(ternary("server", "policy", "short", *words))
    facts(ternary("server", "customer", "Initech", "--json"))
    return facts(ternary("server", "issue", "--to", "Initech", "--policy", "short", "--json"))


def facts(done):
    assert done.status == 0, done.err
    return json.loads(done.text)


def test_lists_have_headings_and_readable_dates(ternary, sold):
    for listed, head, row in (
        ("customers", r"id +name +made +contact +merged_into", rf"C-\w+  Initech  {MOMENT} +- +-"),
        (
            "releases",
            r"product +version +released +encrypted +sha256",
            rf"acme +1.0.0 +{MOMENT}  no +\w{{64}}",
        ),
        (
            "policies",
            r"name +product +versions +term +allows +seats +quota +lease \+ grace +offline +trial +priced"
            r" +ended",
            r"short +acme +all +20 d +decode,encode,sample +2 +none +1 h \+ 1 h +3 d +no +no +-",
        ),
        (
            "licenses",
            r"id +customer +product +policy +state +starts +ends +seats +quota +trial +order",
            rf"{sold['id']}  Initech +acme +short +active +{MOMENT} +{MOMENT} +2 +none +no +-",
        ),
        ("tokens", r"id +name +scope +made +ends +revoked", rf"T-\w+ +first +admin +{MOMENT} +{MOMENT} +-"),
    ):
        done = ternary("server", listed)
        assert (done.status, done.err) == (0, "")
        lines = done.text.splitlines()
        assert len(lines) == 2
        assert re.fullmatch(head, lines[0]), lines[0]
        assert re.fullmatch(row, lines[1]), lines[1]


def test_audit_has_headings_and_dates(ternary, sold):
    lines = ternary("server", "audit", "list", sold["id"]).text.splitlines()
    assert re.fullmatch(r"at +stream +number +actor +action +detail", lines[0])
    assert re.fullmatch(rf"{MOMENT}  {sold['id']}  1 +token T-\w+  license.issue  {{.*}}", lines[1])


def test_csv_has_every_member_and_moments_of_rfc_3339(ternary, sold):
    (row,) = csv.DictReader(io.StringIO(ternary("server", "licenses", "--csv").text))
    (told,) = facts(ternary("server", "licenses", "--json"))["rows"]
    assert list(row) == list(told)
    assert (row["id"], row["entitlements"], row["unique_operations"]) == (
        sold["id"],
        "decode encode sample",
        "",
    )
    assert row["expires"] == f"{datetime.fromtimestamp(told['expires'], UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_lists_of_several_pages_are_whole_in_each_form(ternary, server, tmp_path):
    rows = [(f"C-{number:016x}", f"customer {number}", 0) for number in range(2003)]
    with closing(sqlite3.connect(tmp_path / "server.sqlite3", timeout=20)) as database, database:
        database.executemany("INSERT INTO customers (id, name, created) VALUES (?, ?, ?)", rows)
    assert len(ternary("server", "customers").text.splitlines()) == 1 + 2003
    assert len(list(csv.DictReader(io.StringIO(ternary("server", "customers", "--csv").text)))) == 2003
    done = ternary("server", "customers", "--json")
    assert [row["id"] for row in facts(done)["rows"]] == [row[0] for row in rows]
    assert done.text == json.dumps(json.loads(done.text), ensure_ascii=False, indent=2) + "\n"


def test_name_in_csv_is_no_formula(ternary, server, tmp_path):
    with closing(sqlite3.connect(tmp_path / "server.sqlite3", timeout=20)) as database, database:
        row = ("C-0000000000000001", '=HYPERLINK("x")', 0)
        database.execute("INSERT INTO customers (id, name, created) VALUES (?, ?, ?)", row)
    (row,) = csv.DictReader(io.StringIO(ternary("server", "customers", "--csv").text))
    assert row["name"] == '\'=HYPERLINK("x")'
    assert facts(ternary("server", "customers", "--json"))["rows"][0]["name"] == '=HYPERLINK("x")'


def test_empty_lists_say_so_beside_the_result(ternary, server):
    assert ternary("server", "licenses").err == "none found\n"
    assert ternary("server", "licenses", "--csv").out == b""
    assert ternary("server", "licenses", "--json").text == '{\n  "rows": []\n}\n'


def test_two_forms_at_once_are_refused(ternary):
    done = ternary("server", "customers", "--csv", "--json")
    assert done.status == 2
    assert json.loads(done.text)["error"]["message"] == (
        "Invalid value: --json and --csv cannot be used together."
    )


def test_licenses_are_filtered_by_customer_state_and_end(ternary, sold):
    def found(*words):
        return [row["id"] for row in facts(ternary("server", "licenses", *words, "--json"))["rows"]]

    assert found("--customer", "Initech") == found("--customer", sold["customer"]) == [sold["id"]]
    assert found("--state", "active") == [sold["id"]]
    assert found("--state", "revoked") == []
    assert found("--ending-within", "21d") == found("--ending-within", "3w") == [sold["id"]]
    assert found("--ending-within", "19d") == []
    facts(ternary("server", "suspend", sold["id"], "--json"))
    assert found("--ending-within", "21d") == []
    assert found("--ending-within", "21d", "--state", "suspended") == [sold["id"]]


@pytest.mark.parametrize("span", ["30", "0d", "30D", "1.5d", "-1d", "d", "999999d"])
def test_a_span_that_is_none_is_refused(ternary, span):
    done = ternary("server", "licenses", f"--ending-within={span}")
    assert done.status == 2
    assert f"Invalid value for '--ending-within': '{span}' is not a time such as 30d or 4w." in done.err


def test_an_unknown_name_is_refused(ternary, sold):
    done = ternary("server", "issue", "--to", "Hooli", "--policy", "short")
    assert (done.status, done.err) == (
        1,
        "error: customer 'Hooli': there is none of this name; 'ternary server customers' lists all\n",
    )


def test_a_name_that_two_have_is_refused_with_both(ternary, sold):
    second = facts(ternary("server", "customer", "Initech", "--json"))["id"]
    for words in (
        ("issue", "--to", "Initech", "--policy", "short"),
        ("licenses", "--customer", "Initech"),
        ("usage", "--customer", "Initech"),
        ("transfer", sold["id"], "--to", "Initech"),
    ):
        done = ternary("server", *words)
        first, other = sorted([second, sold["customer"]])
        assert done.status == 1
        assert re.fullmatch(
            rf"error: customer 'Initech': 2 have this name: {first} \(made {MOMENT}\), "
            rf"{other} \(made {MOMENT}\); take an id\n",
            done.err,
        )


def test_a_license_is_found_by_its_key_and_by_a_machine(ternary, server, sold, vendor):
    trust = vendor.directory / keyring.TRUST_FILE
    facts(
        ternary(
            "activate", sold["key"], "--trust", trust, "--server", server, "--machine-id", "rack 7", "--json"
        )
    )
    (lease,) = facts(ternary("server", "show", sold["id"], "--json"))["leases"]
    for which in (sold["key"], sold["key"].lower().replace("-", ""), lease["machine"], lease["seat"]):
        assert facts(ternary("server", "show", which, "--json"))["id"] == sold["id"]
    assert facts(ternary("server", "suspend", sold["key"], "--json"))["state"] == "suspended"


def test_a_machine_with_seats_of_two_licenses_is_refused_with_both(ternary, server, sold, vendor, tmp_path):
    trust = vendor.directory / keyring.TRUST_FILE
    other = facts(ternary("server", "issue", "--to", "Initech", "--policy", "short", "--json"))
    for number, key in enumerate((sold["key"], other["key"])):
        words = ["--server", server, "--machine-id", "rack 7", "--state", tmp_path / f"state{number}"]
        facts(ternary("activate", key, "--trust", trust, *words, "--json"))
    first, second = sorted([sold["id"], other["id"]])
    (lease,) = facts(ternary("server", "show", sold["id"], "--json"))["leases"]
    done = ternary("server", "show", lease["machine"])
    assert (done.status, done.err) == (
        1,
        f"error: machine '{lease['machine']}': has or had seats of 2 licenses: {first} (Initech, active), "
        f"{second} (Initech, active); take an id\n",
    )


def test_what_names_no_license_is_refused(ternary, sold):
    for which, sentence in (
        (
            "rack 9",
            "machine 'rack 9': has and had no seat of any license; 'ternary machine' prints its id there",
        ),
        ("rack9", "license rack9: this server knows no such license (NOT_FOUND)"),
        ("A" * 25, "license key: a character is mistyped or two are swapped; compare it again"),
        ("0" * 25, "license key: this server has no license with this key; a transfer replaces it"),
    ):
        done = ternary("server", "show", which)
        assert (done.status, done.err) == (1, f"error: {sentence}\n")


def test_no_machine_names_the_license_that_is_changed(ternary, sold):
    done = ternary("server", "revoke", "rack 7")
    assert (done.status, done.err) == (
        1,
        "error: id: 'rack 7', expected letters, digits, '.', '_' and '-'\n",
    )


def test_revoking_says_what_happens_when_and_the_audit_log_keeps_the_reason(ternary, sold):
    done = ternary("server", "revoke", sold["id"], "--reason", "not paid", "--json")
    assert facts(done)["state"] == "revoked"
    assert done.err == (
        "from now on no machine gets a seat, and each renewal is denied; machines that reach the server stop "
        "within 1 h, others within 2 h; offline files run on until their own end, in 3 d at the latest; a "
        "machine that takes the newest trust file ('ternary trust update') stops at once\n"
    )
    rows = facts(ternary("server", "audit", "list", sold["id"], "--json"))["rows"]
    assert json.loads(rows[-1]["detail"])["reason"] == "not paid"


def test_usage_is_of_this_month_by_default(ternary, sold):
    told = facts(ternary("server", "usage", "--json"))
    start, end = (datetime.fromtimestamp(told[name], UTC) for name in ("start", "end"))
    assert (start.day, start.hour, end.hour) == (1, 0, 0)
    assert timedelta(0) < end - datetime.now(UTC) <= timedelta(days=1)
    done = ternary("server", "usage", "--from", "2026-03-02", "--to", "2026-03-01")
    assert (done.status, done.err) == (
        1,
        "error: --from 2026-03-02: is after --to 2026-03-01, expected a day before it\n",
    )


def test_status_shows_seats_ends_refusals_and_health_on_one_screen(ternary, server, sold, vendor):
    trust = vendor.directory / keyring.TRUST_FILE
    facts(
        ternary("activate", sold["key"], "--trust", trust, "--server", server, "--machine-id", "a", "--json")
    )
    assert ternary("server", "show", "L-nothing").status == 1
    told = facts(ternary("server", "status", "--json"))
    assert told["licenses"] == {"active": 1, "ended": 0, "revoked": 0, "suspended": 0}
    assert told["seats"] == {"held": 1, "licenses_without_limit": 0, "sold": 2}
    assert (told["ending"]["number"], told["ending"]["first"][0]["id"]) == (1, sold["id"])
    assert (told["refusals"]["NOT_FOUND"], told["faults"]) == (1, [])
    lines = ternary("server", "status").text.splitlines()
    assert len(lines) == 9
    for line in (
        r"health +well",
        r"licenses +1 active, 0 ended, 0 revoked, 0 suspended",
        r"seats +1 held, 2 sold by active licenses",
        r"ending +1 license in the next 30 days",
        rf"ends {MOMENT}  {sold['id']}  Initech",
        r"refused +NOT_FOUND 1, since the server started",
        r"events +.*",
    ):
        assert any(re.fullmatch(line, shown) for shown in lines), line
