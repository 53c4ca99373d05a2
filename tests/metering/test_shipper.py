"""Journal to ledger, on a real PostgreSQL."""

from pathlib import Path

import pytest
from django.conf import settings

from metering.journal import Journal
from metering.models import UsageMinute, UsageQuarterHour, UsageRecord
from metering.shipper import Shipper
from tests.metering.samples import begin, end

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipper(tmp_path: Path):
    shipper = Shipper(tmp_path, settings.DATABASE_URL)
    yield shipper
    shipper.close()


@pytest.fixture
def journal(tmp_path: Path):
    journal = Journal(tmp_path, segment_bytes=1)
    yield journal
    journal.close()


def test_a_finished_request_is_one_row_and_one_entry_in_each_rollup(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin())
    journal.end(end())

    assert shipper.step() == 1

    row = UsageRecord.objects.get()
    assert (row.request_id, row.requests, row.outcome, row.output_tokens) == ("req_1", 1, "completed", 87)
    assert [(each.requests, each.cost_picos) for each in UsageMinute.objects.all()] == [(1, 1_341_000_000)]
    assert [(each.requests, each.cost_picos) for each in UsageQuarterHour.objects.all()] == [(1, 1_341_000_000)]
