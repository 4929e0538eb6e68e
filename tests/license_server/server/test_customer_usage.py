"""Usage of customers that are one: an operation of several licenses and customers counts once."""

from tests.buyers import APRIL, DAY, HOUR, MARCH, Buyer, change, issue, prices

from ternary_license_server.service import customer_usage, customers, invoicing, life


def test_group_counts_an_operation_of_several_licenses_and_customers_once(new_shop, new_client, now):
    shop = new_shop
    initech, second, hooli = (
        Buyer(shop, new_client(), now, name, prices(1)) for name in ("Initech", "Globex", "Hooli")
    )
    second.key = str(change(shop, now, life.transfer, second.license, initech.id)["key"])
    second.token = second.activate(now)
    initech.report(range(6), now)
    second.report(range(4, 9), now)
    hooli.report(range(7, 10), now)
    at = APRIL.start + DAY
    initech.token = initech.activate(at)
    initech.report([6, 7], at)
    hooli.correct(at)
    issue(shop, hooli.id, MARCH, at)
    change(shop, at + HOUR, customers.merge, hooli.id, initech.id)

    def together(month, **chosen):
        with shop.database.read() as transaction:
            found = list(
                customer_usage.customer_lines(transaction, start=month.start, end=month.end, **chosen)
            )
        return [(line.customer, line.operations, line.taken_back, line.total) for line in found]

    def apart(month):
        with shop.database.read() as transaction:
            found = list(invoicing.lines(transaction, start=month.start, end=month.end, customer=initech.id))
        return {line.license: (line.customer, line.operations, line.taken_back, line.total) for line in found}

    assert together(MARCH) == together(MARCH, customer=initech.id) == [(initech.id, 10, 0, 10)]
    assert together(APRIL) == together(APRIL, customer=hooli.id) == [(initech.id, 0, 1, 9)]
    assert together(APRIL, license_id=initech.license) == [(initech.id, 2, 0, 8)]
    assert together(APRIL, license_id=hooli.license) == [(initech.id, 0, 3, 0)]
    assert together(APRIL, license_id=second.license) == []
    assert apart(MARCH) == {
        initech.license: (initech.id, 6, 0, 6),
        second.license: (initech.id, 5, 0, 5),
        hooli.license: (hooli.id, 3, 0, 3),
    }
    assert apart(APRIL) == {
        initech.license: (initech.id, 2, 0, 8),
        hooli.license: (hooli.id, 0, 3, 0),
    }
