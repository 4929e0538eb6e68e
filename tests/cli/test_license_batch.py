"""A CSV of customers in, a folder of licenses and a register out."""

import csv
import io

import pytest

from ternary_sdk._internal.licensing.license import License


@pytest.fixture
def run(ternary, shipped, vendor, tmp_path):
    (tmp_path / "acme.ternary").write_bytes(shipped)

    def issue_all(text):
        (tmp_path / "customers.csv").write_text(text, "utf-8")
        words = [
            "--package",
            tmp_path / "acme.ternary",
            "--keys",
            vendor.directory,
            "--out",
            tmp_path / "sold",
        ]
        return ternary("license", "issue-all", tmp_path / "customers.csv", *words)

    return issue_all


def test_register_has_no_formula(run, vendor, tmp_path):
    done = run('customer,expires,order,notes\n=1+1,never,@PO,"a;-1"\n')
    assert (done.status, done.err) == (0, "")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "sold" / "register.csv").read_text("utf-8")))
    assert (row["customer"], row["order"], row["notes"]) == ("'=1+1", "'@PO", "a;'-1")
    assert License.read((tmp_path / "sold" / row["file"]).read_bytes(), vendor.trust).customer == "=1+1"


def test_each_customer_gets_a_license_and_the_register_names_them(run, vendor, tmp_path):
    done = run(
        "\ufeffcustomer,expires,unique_operations,allow,order,notes\r\n"
        'Initech,2035-12-31,500,"decode,sample",PO-7,"first, of two"\r\n'
        "\r\n"
        "Hooli,never,,,,\r\n"
    )
    assert (done.status, done.err) == (0, "")
    assert done.text == f"{tmp_path / 'sold'}: 2 licenses and register.csv\n"
    register = (tmp_path / "sold" / "register.csv").read_bytes().decode()
    first, second = csv.DictReader(io.StringIO(register))
    assert (first["customer"], first["order"], first["notes"], first["package"]) == (
        "Initech",
        "PO-7",
        "first, of two",
        "acme-1.0.0",
    )
    assert (second["customer"], second["expires"], second["unique_operations"]) == ("Hooli", "never", "")
    read = License.read((tmp_path / "sold" / first["file"]).read_bytes(), vendor.trust)
    assert (read.id, read.customer, read.unique_operations) == (first["license"], "Initech", 500)
    assert read.entitlements == {"decode", "sample"}
    names = {file.name for file in (tmp_path / "sold").iterdir()}
    assert names == {"register.csv", first["file"], second["file"]}


COLUMNS = "expected customer, expires and, each once and if wanted, unique_operations, allow, order, notes"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"its columns are none, {COLUMNS}"),
        ("customer\nInitech\n", f"its columns are customer, {COLUMNS}"),
        ("customer,expires,seats\n", f"its columns are customer, expires, seats, {COLUMNS}"),
        ("customer,expires,expires\n", f"its columns are customer, expires, expires, {COLUMNS}"),
        ("customer,expires\n", "0 customers, expected 1 to 10000"),
        ("customer,expires\nInitech\n", "row 2: 1 cells, expected 2 as in the headings"),
        ("customer,expires\nA,never\n\n ,never\n", "row 4: customer: empty, expected a name"),
        (
            "customer,expires\nA,soon\n",
            "row 2: expires: 'soon', expected a date such as 2030-12-31, or never",
        ),
        (
            "customer,expires,unique_operations\nA,never,-1\n",
            "row 2: unique_operations: '-1', expected digits or nothing",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_nothing_is_written(run, tmp_path, text, sentence):
    done = run(text)
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {tmp_path / 'customers.csv'}: {sentence}\n"
    assert not (tmp_path / "sold").exists()


def test_what_a_license_refuses_names_its_row_and_nothing_is_written(run, tmp_path):
    done = run("customer,expires,allow\nInitech,never,\nHooli,never,paint\n")
    assert done.status == 1
    assert done.err.startswith(f"error: {tmp_path / 'customers.csv'}: row 3: cannot issue this license: ")
    assert done.err.endswith("; nothing was written\n")
    assert not (tmp_path / "sold").exists()


def test_a_folder_that_exists_is_kept(run, tmp_path):
    (tmp_path / "sold").mkdir()
    done = run("customer,expires\nInitech,never\n")
    assert (done.status, done.err) == (
        1,
        f"error: {tmp_path / 'sold'}: exists already, expected a folder that does not\n",
    )
