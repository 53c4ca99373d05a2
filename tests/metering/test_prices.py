import asyncio

import pytest
from django.db import ProgrammingError, transaction

from apikeys.notifications import Listener
from metering import prices
from metering.models import Price
from metering.price_list import SHIPPED
from metering.prices import PriceBook
from metering.pricing import PriceRow

NEW = PriceRow("house-model", 1_700_000_000_000_000, 0, 1, 2, 3, 4, 5, None, 100)


@pytest.mark.django_db
def test_a_new_database_holds_the_shipped_prices_as_they_are() -> None:
    assert set(prices.load().rows) == set(SHIPPED)


@pytest.mark.django_db
def test_a_price_that_is_there_is_never_overwritten() -> None:
    shipped = SHIPPED[0]

    prices.add([PriceRow(shipped.model, shipped.effective_from_us, shipped.above_input_tokens, 0, 0, 0, 0, 0), NEW])

    assert set(prices.load().rows) == {*SHIPPED, NEW}


@pytest.mark.django_db
@pytest.mark.parametrize("change", [lambda rows: rows.update(input_picos=0), lambda rows: rows.delete()])
def test_the_database_refuses_to_change_or_remove_a_price(change: object) -> None:
    with pytest.raises(ProgrammingError, match="never changed"), transaction.atomic():
        change(Price.objects.filter(model="claude-opus-5"))  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
async def test_a_worker_prices_with_a_new_row_within_a_moment() -> None:
    listener = Listener()
    book = PriceBook(listener)
    await listener.start()
    await book.start()
    while not listener.is_listening:
        await asyncio.sleep(0.01)

    await asyncio.to_thread(_add_and_hang_up)
    async with asyncio.timeout(1):
        while book.current.row("house-model", NEW.effective_from_us, 0) is None:
            await asyncio.sleep(0.01)

    assert book.current.row("house-model", NEW.effective_from_us, 0) == NEW
    await book.stop()
    await listener.stop()


def _add_and_hang_up() -> None:
    from django.db import connection

    prices.add([NEW])
    connection.close()
