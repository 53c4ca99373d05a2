"""How many records wait to be shipped."""

from pathlib import Path

import pytest
from django.conf import settings

from metering import backlog
from metering.journal import Journal
from metering.models import UsageRecord
from metering.shipper import Shipper
from tests.metering.samples import begin, end, refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_backlog_counts_what_has_ended_and_is_not_shipped(tmp_path: Path) -> None:
    journal, shipper = Journal(tmp_path), Shipper(tmp_path, settings.DATABASE_URL)
    assert backlog.count(tmp_path) == 0
    journal.begin(begin("req_long"))
    assert backlog.count(tmp_path) == 0
    for number in range(5):
        journal.begin(begin(f"req_{number}"))
        journal.end(end(f"req_{number}"))
    journal.refused(refused())
    assert backlog.count(tmp_path) == 6

    shipper.step()
    assert backlog.count(tmp_path) == 0

    journal.close()  # with a request running, as if its process had died
    assert backlog.count(tmp_path) == 1
    shipper.step()
    assert backlog.count(tmp_path) == 0
    assert UsageRecord.objects.get(request_id="req_long").outcome == "interrupted"
    shipper.close()


def test_without_any_journal_there_is_no_backlog(tmp_path: Path) -> None:
    assert backlog.count(tmp_path / "journal") == 0
