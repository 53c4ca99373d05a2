"""After a restart the shipper reads from the oldest running request on, past much that it has shipped already."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from metering.journal import Journal
from metering.records import Sent
from metering.shipper import Shipper
from tests.metering.samples import NOON_US, begin, end, progress
from tests.metering.shipping import assert_rollups_are_sums_of_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipper(tmp_path: Path) -> Iterator[Shipper]:
    shipper = Shipper(tmp_path, settings.DATABASE_URL)
    yield shipper
    shipper.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def test_reading_again_from_a_running_request_puts_nothing_aside(
    journal: Journal, shipper: Shipper, tmp_path: Path
) -> None:
    """Requests that began before it and ended after it are in the ledger; only their ENDs are read again."""
    for name in ("req_before", "req_failed_over"):
        journal.begin(begin(name))
    journal.begin(begin("req_long"))
    journal.progress(progress("req_before"))
    journal.sent(Sent(request_id="req_failed_over", attempt=2, at_us=NOON_US, upstream="spare", model="m"))
    journal.end(end("req_failed_over", is_final=False))
    journal.end(end("req_failed_over", attempt=2))
    journal.end(end("req_before"))
    assert shipper.step() == 3

    shipper.start_again()
    assert shipper.step() == 0
    journal.end(end("req_long"))
    assert shipper.step() == 1

    assert not (tmp_path / "quarantine.jsonl").exists()
    assert_rollups_are_sums_of_rows()
