"""Invoices bill each operation once, and a customer's machines state exactly what was billed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from ternary_license_server.database.engine import Database, parse_url
from ternary_license_server.local import restoration
from ternary_license_server.local.backup import backup
from ternary_license_server.local.restoration import Wish
from ternary_license_server.service import auditing, catalog, correcting, invoices, life, policies, records
from ternary_license_server.service.invoices import Wanted
from ternary_license_server.service.policies import Policy
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.pricing import comparison, statement
from ternary_sdk._internal.pricing.invoice import MOST_LICENSES, TYP, Invoice, document, read_claims
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList, Tier, Unit
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, LicenseError, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

MARCH, APRIL, MAY = Month(2026, 3), Month(2026, 4), Month(2026, 5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUOTA = 19_683
BOOLEAN = Space(2, 3)
PRICES = PriceList(
    currency="EUR",
    exponent=2,
    unit=Unit.OPERATION,
    base=5_000,
    included=2,
    tiers=(Tier(up_to=6, amount=100, per=1), Tier(up_to=None, amount=50, per=3)),
    minimum=None,
    cap=None,
)


class Machine:
    """A customer's machine: it activates, draws, reports and writes statements, with a real meter."""

    def __init__(self, shop, held, path):
        self.shop, self.held, self.ledger = shop, held, Ledger(path / f"{held.kid}.sqlite3")

    def activate(self, key, now):
        came = self.shop.activate(key, self.held, now)
        self.license = License.read(came["license"].encode(), self.shop.ring.trust)

    def draw(self, *operations, space=TERNARY_2):
        license = self.license
        self.ledger.record(
            license.id,
            QUOTA,
            OperationSet.of(operations, space),
            lease=license.lease,
            owner=license.customer,
        )

    def reports(self, now):
        for counted in self.ledger.sets(self.license.id):
            if (counted.lease, counted.owner) == (self.license.lease, self.license.customer):
                yield usage.report(self.license.id, counted, self.held, now)

    def report(self, now, times=1):
        for written in list(self.reports(now)) * times:
            self.shop.merge(written, now)

    def state(self, now):
        license = self.license
        totals = self.ledger.totals(license.id, owner=license.customer)
        sets = [self.ledger.drawn(license.id, space=space, owner=license.customer) for space in totals]
        return Statement.read(statement.write(license.id, license.customer, sets, self.held, now))


@pytest.fixture
def shop(new_shop):
    return new_shop


@pytest.fixture
def machines(shop, new_client, tmp_path):
    return lambda: Machine(shop, new_client(), tmp_path)


def sell(shop, now, **changes):
    """A new license of a new customer: its id, its key and the customer's id."""
    license_id, key = shop.sell(
        now=now, **({"unique_operations": QUOTA, "seats": 3, "prices": PRICES} | changes)
    )
    with shop.database.read() as transaction:
        return license_id, key, records.find(transaction, license_id).customer


def transfer(shop, license_id, name, now):
    with shop.at(now).write() as transaction:
        customer = str(catalog.add_customer(transaction, name, actor="test")["id"])
        return str(life.transfer(transaction, license_id, customer, actor="test")["key"]), customer


def issue(shop, customer, month, at=None, **more):
    """The file of an invoice, issued an hour after the month."""
    with shop.at(at or month.end + HOUR).write() as transaction:
        wanted = Wanted(customer=customer, product=None, month=month)
        every = {"all_handed_in": False} | more
        return canonical.encode(invoices.issue(transaction, shop.ring, wanted, actor="token T-1", **every))


def read(shop, data):
    return Invoice.read(data, shop.ring.trust)


def billed(invoice):
    """Before, new, credited, after of the only space, and the total."""
    (of,) = invoice.spaces
    return of.before, of.new.operations, of.credited.operations, of.after.operations, invoice.amount.total


def agree(shop, data, machines, now):
    """The comparison of an invoice with what machines state."""
    merged = comparison.merge([machine.state(now) for machine in machines])
    return comparison.compare(merged, read(shop, data))


def refusal(call):
    with pytest.raises((LicenseError, ServiceError)) as caught:
        call()
    return str(caught.value.code), str(caught.value)


def test_invoice_and_statements_agree_after_retries_a_transfer_and_a_restore(shop, machines, now, tmp_path):
    license_id, key, initech = sell(shop, now)
    one, two, three = machines(), machines(), machines()
    for machine in (one, two, three):
        machine.activate(key, now)
    one.draw(1, 2, 3)
    two.draw(3, 4, 5, 6)
    one.report(now, times=3)
    two.report(now + HOUR, times=2)
    one.report(now + HOUR)

    restored_at = now + 3 * HOUR
    three.draw(6, 7, 8, 9, 10)
    shop.at(now + 2 * HOUR)
    with shop.database.write() as transaction:
        transaction.mark_clock()
    shop.at(restored_at)
    restoration.restore(shop.database, shop.ring.directory, Wish(newest=None))
    three.report(restored_at + HOUR)

    two.draw(11)
    hooli_key, hooli = transfer(shop, license_id, "Hooli", now + DAY)
    two.report(now + DAY + HOUR)
    four = machines()
    four.activate(hooli_key, now + 2 * DAY)
    four.draw(1, 2, 3, 100)
    four.report(now + 2 * DAY)

    data = issue(shop, initech, MARCH)
    assert issue(shop, initech, MARCH, MAY.end) == data
    invoice, expected = read(shop, data), OperationSet.of(range(1, 12))
    (of,) = invoice.spaces
    assert (of.after.operations, of.after.sha256) == (11, expected.digest)
    # 50.00 base, 2 of 11 included, 4 at 1.00, 5 at 0.50 for each 3, rounded down: 0.83
    assert invoice.amount.total == 5_000 + 400 + 250 // 3
    found = agree(shop, data, [one, two, three], MARCH.end)
    assert found.differences == ()
    assert found.amount == invoice.amount
    assert found.billable[TERNARY_2].digest == of.after.sha256

    theirs = read(shop, issue(shop, hooli, MARCH))
    assert billed(theirs) == (0, 4, 0, 4, 5_000 + 200)
    assert agree(shop, issue(shop, hooli, MARCH), [four], MARCH.end).differences == ()
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []


def test_each_operation_is_billed_once_and_months_follow_each_other(shop, machines, now):
    license_id, key, customer = sell(shop, now)
    one = machines()
    one.activate(key, now)
    one.draw(*range(8))
    one.report(now)
    named = "invoice of 2026-05 for Initech, acme"
    assert refusal(lambda: issue(shop, customer, MAY)) == (
        "CONFLICT", f"{named}: 2026-03 was not issued; issue it first"
    )  # fmt: skip
    assert refusal(lambda: issue(shop, customer, MARCH, MARCH.end - DAY)) == (
        "CONFLICT",
        "invoice of 2026-03 for Initech, acme: the month ends on 2026-04-01; until then it can be previewed",
    )
    assert billed(read(shop, issue(shop, customer, MARCH))) == (0, 8, 0, 8, 5_000 + 400 + 100 // 3)
    one.activate(key, APRIL.start + DAY)
    one.draw(7, 8, 9)
    one.report(APRIL.start + DAY)
    april = issue(shop, customer, APRIL)
    # 4 operations of the second tier cost 66, 2 of them were billed as 33
    assert billed(read(shop, april)) == (8, 2, 0, 10, 5_000 + 200 // 3 - 100 // 3)
    assert agree(shop, april, [one], APRIL.end).differences == ()
    assert billed(read(shop, issue(shop, customer, MAY))) == (10, 0, 0, 10, 5_000)
    assert refusal(lambda: issue(shop, customer, Month(2026, 2))) == (
        "CONFLICT",
        "invoice of 2026-02 for Initech, acme: 2026-05 was issued, and no month before it can be",
    )
    march, last = read(shop, issue(shop, customer, MARCH)), read(shop, april)
    assert (last.previous.number, last.previous.sha256) == (march.number, march.sha256)
    assert last.charged_before == march.amount.charged == 433
    assert license_id in last.licenses


def test_correction_after_an_invoice_is_a_credit_of_the_next(shop, machines, now):
    license_id, key, customer = sell(shop, now)
    one, two = machines(), machines()
    for machine in (one, two):
        machine.activate(key, now)
    one.draw(*range(7))
    two.draw(0, 1, 2)
    for machine in (one, two):
        machine.report(now)
    march = issue(shop, customer, MARCH)
    with shop.at(APRIL.start + DAY).write() as transaction:
        correcting.correct(transaction, license_id, one.license.lease, "counted a test", actor="token T-1")
    april = read(shop, issue(shop, customer, APRIL))
    # what one alone had reported, 3 to 6: 3 at 1.00 and 1 of the second tier
    assert billed(april) == (7, 0, 4, 3, 5_000 - 300 - 50 // 3)
    assert april.amount.charged == 100
    assert issue(shop, customer, MARCH) == march
    found = agree(shop, issue(shop, customer, APRIL), [one, two], APRIL.end)
    assert found.differences == ()
    assert found.amount == april.amount
    one.report(MAY.start + DAY)
    assert billed(read(shop, issue(shop, customer, MAY))) == (3, 0, 0, 3, 5_000)


def test_licenses_of_one_customer_and_product_are_billed_together(shop, machines, now):
    license_id, key, customer = sell(shop, now)
    with shop.at(now).write() as transaction:
        policy = records.find(transaction, license_id).policy
        other = life.issue(transaction, customer=customer, policy=policy, actor="test")
    one, two = machines(), machines()
    one.activate(key, now)
    two.activate(str(other["key"]), now)
    one.draw(1, 2, 3)
    two.draw(3, 4)
    two.draw(3, space=BOOLEAN)
    for machine in (one, two):
        machine.report(now)
    data = issue(shop, customer, MARCH)
    invoice = read(shop, data)
    assert invoice.licenses == tuple(sorted([license_id, str(other["id"])]))
    assert [(of.space, of.after.operations) for of in invoice.spaces] == [(BOOLEAN, 1), (TERNARY_2, 4)]
    assert agree(shop, data, [one, two], MARCH.end).differences == ()


def test_issued_by_several_at_once_an_invoice_is_one_and_numbers_are_different(shop, machines, now):
    customers = []
    for _ in range(2):
        _, key, customer = sell(shop, now)
        one = machines()
        one.activate(key, now)
        one.draw(1, 2, 3)
        one.report(now)
        customers.append(customer)
    shop.at(MARCH.end + HOUR)

    def ask(customer):
        wanted = Wanted(customer=customer, product=None, month=MARCH)
        with shop.database.write() as transaction:
            made = invoices.issue(transaction, shop.ring, wanted, all_handed_in=False, actor="token T-1")
        return customer, canonical.encode(made)

    with ThreadPoolExecutor(8) as threads:
        came = set(threads.map(ask, customers * 8))
    assert sorted(customer for customer, _ in came) == sorted(customers)
    assert sorted(read(shop, data).number for _, data in came) == ["2026-03-000001", "2026-03-000002"]


def test_first_operation_that_differs_is_named(shop, machines, now):
    _, key, customer = sell(shop, now)
    one, two = machines(), machines()
    for machine in (one, two):
        machine.activate(key, now)
        machine.draw(10, 20 if machine is one else 30)
        machine.report(now)
    one.draw(40)
    found = agree(shop, issue(shop, customer, MARCH), [one], MARCH.end)
    assert [difference.sentence() for difference in found.differences] == [
        "space 3,2: the statements have 3 operations, the invoice bills 3; the first that differs is "
        "operation 30, in the invoice and not in the statements; only in "
        "the statements: 1, only in the invoice: 1"
    ]


def test_restored_server_bills_nothing_twice_once_its_invoices_are_handed_in(
    make_shop, database_address, new_client, now, tmp_path
):
    with database_address("sqlite", tmp_path) as url:
        lost = make_shop(url)
        one = Machine(lost, new_client(), tmp_path)
        _, key, customer = sell(lost, now)
        one.activate(key, now)
        backup(lost.database, tmp_path / "monday")
        one.draw(1, 2, 3, 4)
        one.report(now + DAY)
        march = issue(lost, customer, MARCH)
        lost.database.close()
    shop = restored(lost, tmp_path, APRIL.start + 2 * HOUR)
    one.shop = shop
    one.draw(5)
    one.activate(key, APRIL.start + 2 * HOUR)
    for counted in one.ledger.sets(one.license.id):
        shop.merge(usage.report(one.license.id, counted, one.held, APRIL.start), APRIL.start + 2 * HOUR)
    assert refusal(lambda: issue(shop, customer, MARCH, APRIL.start + 2 * HOUR)) == (
        "TRY_LATER",
        "this server was restored from a backup and may have forgotten invoices; hand in those that were "
        "issued since with 'ternary server merge-invoice', then say --all-handed-in",
    )
    for _ in range(2):
        restoration.merge_invoice(shop.database, shop.ring.directory, march + b"\n")
    assert issue(shop, customer, MARCH) == march
    april = issue(shop, customer, APRIL, all_handed_in=True)
    assert billed(read(shop, april)) == (4, 1, 0, 5, 5_000 + 100)
    assert agree(shop, april, [one], APRIL.end).differences == ()


def test_restored_server_that_lacks_an_invoice_in_between_bills_nothing(
    make_shop, database_address, new_client, now, tmp_path
):
    with database_address("sqlite", tmp_path) as url:
        lost = make_shop(url)
        one = Machine(lost, new_client(), tmp_path)
        _, key, customer = sell(lost, now)
        one.activate(key, now)
        backup(lost.database, tmp_path / "monday")
        one.draw(1, 2, 3, 4)
        one.report(now + DAY)
        march, april = issue(lost, customer, MARCH), issue(lost, customer, APRIL)
        lost.database.close()
    shop = restored(lost, tmp_path, MAY.start + 2 * HOUR)
    restoration.merge_invoice(shop.database, shop.ring.directory, april)
    assert refusal(lambda: issue(shop, customer, MAY, all_handed_in=True)) == (
        "CONFLICT",
        "invoice 2026-04-000001: bills operations of space 3,2 that an earlier invoice billed, and this "
        "server does not have that one; hand it in with 'ternary server merge-invoice'",
    )
    restoration.merge_invoice(shop.database, shop.ring.directory, march)
    may = read(shop, issue(shop, customer, MAY, all_handed_in=True))
    assert billed(may) == (4, 0, 0, 4, 5_000)
    shop.database.close()


def restored(lost, folder, at):
    """The shop as the backup knew it, in the restored mode."""
    lost.hands.moment = at
    database = Database(parse_url(f"sqlite:///{folder / 'restored.sqlite3'}"), clock=lost.hands.clock())
    wish = Wish(newest=None, today=at.date())
    restoration.restore(database, lost.ring.directory, wish, folder / "monday")
    return type(lost)(database, lost.ring, lost.hands)


def test_preview_is_not_signed_and_has_no_number(shop, machines, now):
    _, key, customer = sell(shop, now)
    one = machines()
    one.activate(key, now)
    one.draw(1, 2, 3)
    one.report(now)
    with shop.at(now + HOUR).read() as transaction:
        shown = invoices.preview(
            transaction, "Acme Logic", Wanted(customer=customer, product=None, month=MARCH)
        )
    assert sorted(shown) == ["format", "invoice"]
    assert billed(read_claims(shown["invoice"])) == (0, 3, 0, 3, 5_100)
    assert read_claims(shown["invoice"]).number is None
    with pytest.raises(FormatError, match=r"^invoice: member 'signature' is missing$"):
        read(shop, canonical.encode(shown))


def test_edited_invoice_is_refused(shop, machines, now):
    _, key, customer = sell(shop, now)
    one = machines()
    one.activate(key, now)
    one.draw(1, 2, 3)
    one.report(now)
    written = canonical.decode(issue(shop, customer, MARCH), "invoice")

    def edited(**changes):
        claims = written["invoice"] | changes
        return canonical.encode(written | {"invoice": claims})

    with pytest.raises(SignatureError, match=r"^invoice: signature: "):
        read(shop, edited(total=1))
    token = shop.ring.signer(Role.ANSWER).sign_token(written["invoice"] | {"total": 1}, typ=TYP)
    with pytest.raises(
        FormatError, match=r"^invoice\.total: does not follow from its prices and numbers of operations$"
    ):
        read(shop, document(written["invoice"] | {"total": 1}, token))
    foreign = shop.ring.signer(Role.LICENSE).sign_token(written["invoice"], typ=TYP)
    with pytest.raises(SignatureError, match=r" has role license, expected answer$"):
        read(shop, document(written["invoice"], foreign))


def test_policy_with_prices_needs_a_quota(shop, now):
    assert refusal(lambda: sell(shop, now, unique_operations=None)) == (
        "INVALID",
        f"policy policy-{shop.policies}: prices: need unique_operations: machines count operations only "
        "under a quota",
    )


def test_customer_without_prices_or_with_two_price_lists_is_not_invoiced(shop, now):
    license_id, _ = shop.sell(now=now)
    with shop.database.read() as transaction:
        customer = records.find(transaction, license_id).customer
    assert refusal(lambda: issue(shop, customer, MARCH)) == (
        "CONFLICT",
        "customer Initech: no license of any product is under a policy with prices; make a policy with "
        "--prices and put the licenses under it",
    )
    for number in (1, 2):
        with shop.at(now).write() as transaction:
            name = f"{license_id.lower()}-{number}"
            template = policy_of(name, replace(PRICES, base=number))
            policies.add(transaction, template, actor="test")
            life.issue(transaction, customer=customer, policy=name, actor="test")
    assert refusal(lambda: issue(shop, customer, MARCH)) == (
        "CONFLICT",
        "customer Initech: licenses of acme are under policies of different prices "
        f"({license_id.lower()}-1, {license_id.lower()}-2); change them to policies of one price list",
    )
    assert refusal(lambda: issue(shop, "Nobody", MARCH)) == (
        "UNKNOWN", "customer Nobody: there is none of this name or id"
    )  # fmt: skip


def change_prices(shop, license_id, prices, at, **how):
    with shop.at(at).write() as transaction:
        template = policy_of(f"{license_id.lower()}-changed", prices)
        policies.add(transaction, template, actor="test")
        life.change_policy(transaction, license_id, template.name, **how, actor="test")


def test_account_begins_no_earlier_than_its_first_license(shop, now):
    _, _, customer = sell(shop, now)
    assert refusal(lambda: issue(shop, customer, Month(2020, 1), MARCH.end)) == (
        "CONFLICT",
        "invoice of 2020-01 for Initech, acme: its first license was made in 2026-03, and no month before "
        "can be invoiced",
    )
    assert read(shop, issue(shop, customer, MARCH)).amount.total == 5_000


def test_account_begins_no_later_than_prices(shop, machines, now):
    license_id, key, customer = sell(shop, now, prices=None)
    one = machines()
    one.activate(key, now)
    one.draw(*range(8))
    one.report(now)
    change_prices(shop, license_id, PRICES, APRIL.start + DAY)
    assert refusal(lambda: issue(shop, customer, MAY)) == (
        "CONFLICT", "invoice of 2026-05 for Initech, acme: 2026-04 was not issued; issue it first"
    )  # fmt: skip
    april = issue(shop, customer, APRIL)
    assert billed(read(shop, april)) == (0, 0, 0, 0, 5_000)
    assert agree(shop, april, [one], APRIL.end).differences == ()
    one.activate(key, MAY.start + DAY)
    one.draw(7, 8)
    one.report(MAY.start + DAY)
    may = issue(shop, customer, MAY)
    assert billed(read(shop, may)) == (0, 1, 0, 1, 5_000)
    assert agree(shop, may, [one], MAY.end).differences == ()


def test_license_that_gets_prices_is_billed_for_earlier_operations_if_that_is_said(shop, machines, now):
    license_id, key, customer = sell(shop, now, prices=None)
    one = machines()
    one.activate(key, now)
    one.draw(*range(8))
    one.report(now)
    change_prices(shop, license_id, PRICES, APRIL.start + DAY, bill_earlier=True)
    assert refusal(lambda: issue(shop, customer, MAY)) == (
        "CONFLICT", "invoice of 2026-05 for Initech, acme: 2026-04 was not issued; issue it first"
    )  # fmt: skip
    assert billed(read(shop, issue(shop, customer, APRIL))) == (0, 8, 0, 8, 5_433)


def test_license_loses_its_prices_once_all_of_it_is_invoiced(shop, machines, now):
    license_id, key, customer = sell(shop, now)
    one = machines()
    one.activate(key, now)
    one.draw(*range(8))
    one.report(now)
    assert refusal(lambda: change_prices(shop, license_id, None, APRIL.start + DAY)) == (
        "CONFLICT",
        f"license {license_id}: operations of customer {customer} received in 2026-03 are not invoiced, and "
        "without prices they never would be; invoice them first, or issue another license",
    )
    assert billed(read(shop, issue(shop, customer, MARCH))) == (0, 8, 0, 8, 5_433)
    change_prices(shop, license_id, None, APRIL.start + DAY)


def test_account_keeps_its_currency(shop, machines, now):
    license_id, key, customer = sell(shop, now)
    one = machines()
    one.activate(key, now)
    one.draw(1, 2, 3)
    one.report(now)
    issue(shop, customer, MARCH)
    change_prices(shop, license_id, replace(PRICES, currency="JPY", exponent=0), APRIL.start + DAY)
    assert refusal(lambda: issue(shop, customer, APRIL)) == (
        "CONFLICT",
        "customer Initech: invoice 2026-03-000001 is in EUR with 2 decimals, prices of acme are now in JPY "
        "with 0; an account has one currency",
    )


def test_invoice_that_readers_would_refuse_is_not_issued(shop, now):
    license_id, _, customer = sell(shop, now)
    with shop.at(now).read() as transaction:
        policy = records.find(transaction, license_id).policy
    for _ in range(MOST_LICENSES // 50):  # a transaction has a limit of time, on a busy machine too
        with shop.at(now).write() as transaction:
            for _ in range(50):
                life.issue(transaction, customer=customer, policy=policy, actor="test")
    with pytest.raises(FormatError, match=r"^invoice\.licenses: "):
        issue(shop, customer, MARCH)
    with shop.database.read() as transaction:
        assert invoices.page(transaction, after="", limit=10) == []


def policy_of(name, prices):
    return Policy(
        name=name,
        product="acme",
        term=None,
        entitlements=("sample",),
        seats=3,
        unique_operations=QUOTA,
        lease=HOUR,
        grace=HOUR,
        offline=timedelta(0),
        trial=False,
        prices=prices,
    )


def test_vast_space_is_billed_and_stated(shop, machines, now):
    vast = Space(3, 3)
    _, key, customer = sell(shop, now, unique_operations=10**6)
    one, two = machines(), machines()
    for machine, numbers in ((one, range(0, 9_000, 3)), (two, range(0, 9_000, 2))):
        machine.activate(key, now)
        machine.draw(*numbers, space=vast)
        machine.report(now)
    data = issue(shop, customer, MARCH)
    assert billed(read(shop, data))[:4] == (0, 6_000, 0, 6_000)
    assert agree(shop, data, [one, two], MARCH.end).differences == ()
    (difference,) = agree(shop, data, [one], MARCH.end).differences
    assert (difference.first, difference.first_is_billed, difference.only_billed) == (2, True, 3_000)
