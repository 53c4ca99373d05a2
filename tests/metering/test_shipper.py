"""Journal to ledger, on a real PostgreSQL."""

import json
import random
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from metering import segments
from metering.frames import MAX_FRAME_BYTES
from metering.journal import Journal
from metering.ledger import Ledger, Mark
from metering.models import JournalFolder as StoredMark
from metering.models import UsageMinute, UsageQuarterHour, UsageRecord
from metering.records import Sent
from metering.rows import Row
from metering.running import Position, RunningRequests
from metering.shipper import AlreadyShipping, Shipper
from tests.metering.samples import ACME, GLOBEX, NOON_US, begin, end, progress, refused
from tests.metering.shipping import assert_rollups_are_sums_of_rows, rollups

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipper(tmp_path: Path) -> Iterator[Shipper]:
    shipper = Shipper(tmp_path, settings.DATABASE_URL)
    yield shipper
    shipper.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path, segment_bytes=4 * MAX_FRAME_BYTES)
    yield journal
    journal.close()


def _serve(journal: Journal, count: int, *, prefix: str = "req", **changes: object) -> None:
    for number in range(count):
        journal.begin(begin(f"{prefix}_{number}", started_at_us=NOON_US + number * 1_000_000, **changes))
        journal.end(end(f"{prefix}_{number}"))


def _rows(prefix: str, count: int) -> list[Row]:
    """Rows of finished requests, one every seven seconds."""
    requests = RunningRequests()
    for number in range(count):
        requests.apply(begin(f"{prefix}_{number}", started_at_us=NOON_US + number * 7_000_000), Position(1, 0))
    ended = [requests.apply(end(f"{prefix}_{number}"), Position(1, 0)) for number in range(count)]
    return [row for row in ended if row is not None]


def _ship_in_portions(rows: list[Row], mark: Mark, counts: list[int]) -> None:
    """In any order, some of them more than once, all of them in the end."""
    ledger = Ledger(settings.DATABASE_URL)
    portions = [random.choices(rows, k=random.randint(1, 40)) for _ in range(30)]
    counts.append(sum(ledger.ship(portion, [mark]) for portion in [*portions, rows + rows]))
    ledger.close()


def _ship_all(shipper: Shipper) -> int:
    written = 0
    while newly := shipper.step():
        written += newly
    return written


def test_a_finished_request_is_one_row_and_one_entry_in_each_rollup(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin())
    journal.end(end())

    assert shipper.step() == 1

    row = UsageRecord.objects.get()
    assert (row.request_id, row.requests, row.outcome, row.output_tokens) == ("req_1", 1, "completed", 87)
    assert (str(row.organization_id), row.usage["input_tokens"], row.started_at.hour) == (ACME, 12, 12)
    assert [(each.requests, each.cost_picos) for each in UsageMinute.objects.all()] == [(1, 1_341_000_000)]
    assert [(each.requests, each.cost_picos) for each in UsageQuarterHour.objects.all()] == [(1, 1_341_000_000)]


def test_nothing_new_is_nothing_written(journal: Journal, shipper: Shipper) -> None:
    _serve(journal, 3)

    assert [shipper.step(), shipper.step()] == [3, 0]


def test_a_running_request_is_shipped_when_it_ends(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin("req_long"))
    _serve(journal, 5)
    assert shipper.step() == 5
    stored = StoredMark.objects.get()
    assert (stored.segment, stored.offset) == (0, 0) or (stored.segment, stored.offset) == (1, 0)

    journal.end(end("req_long"))

    assert shipper.step() == 1
    assert UsageRecord.objects.filter(request_id="req_long").count() == 1


def test_another_shipper_takes_up_where_the_first_left(journal: Journal, shipper: Shipper, tmp_path: Path) -> None:
    journal.begin(begin("req_long"))
    journal.progress(progress("req_long"))
    _serve(journal, 300)
    assert _ship_all(shipper) == 300
    shipper.close()
    journal.end(end("req_long"))

    second = Shipper(tmp_path, settings.DATABASE_URL)

    assert _ship_all(second) == 1
    assert_rollups_are_sums_of_rows()
    second.close()


def test_two_tenants_and_their_keys_are_summed_apart(journal: Journal, shipper: Shipper) -> None:
    _serve(journal, 2)
    _serve(journal, 3, prefix="globex", organization_id=GLOBEX, workspace_id=None, api_key_id=None)

    shipper.step()

    sums = {(str(each.organization_id), each.workspace_id): each.requests for each in UsageQuarterHour.objects.all()}
    assert sums == {(ACME, "wrkspc_01acme"): 2, (GLOBEX, ""): 3}
    assert_rollups_are_sums_of_rows()


def test_attempts_are_rows_and_the_request_counts_once(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin())
    journal.end(end(is_final=False, outcome="upstream_error", status=529))
    journal.sent(Sent(request_id="req_1", attempt=2, at_us=0, upstream="other", model="m"))
    journal.end(end(attempt=2))

    shipper.step()

    rows = UsageRecord.objects.order_by("attempt").values_list("attempt", "is_final", "requests", "upstream")
    assert list(rows) == [(1, False, 0, "simulator"), (2, True, 1, "other")]
    assert sum(each.requests for each in UsageMinute.objects.all()) == 1


def test_a_thousand_refusals_are_a_thousand_requests_in_few_rows(journal: Journal, shipper: Shipper) -> None:
    for number in range(1_000):
        journal.refused(refused(f"req_{number}"))
    journal.close()

    shipper.step()

    assert sum(UsageRecord.objects.values_list("requests", flat=True)) == 1_000
    assert UsageRecord.objects.count() < 40
    assert sum(each.requests for each in UsageMinute.objects.all()) == 1_000


def test_shipped_segments_are_deleted_while_a_request_stays_open(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin("req_long"))
    for part in range(10):
        _serve(journal, 150, prefix=f"req_{part}")
        time.sleep(0.08)  # the keeper tells the long one again
        shipper.step()

    assert len(segments.numbers(journal.folder)) <= 4
    assert segments.numbers(journal.folder)[0] > 5
    journal.end(end("req_long"))
    assert shipper.step() == 1
    assert UsageRecord.objects.count() == 1_501


def test_a_closed_journal_is_shipped_and_its_folder_goes(journal: Journal, shipper: Shipper) -> None:
    _serve(journal, 3)
    journal.close()

    shipper.step()

    assert UsageRecord.objects.count() == 3
    assert not journal.folder.exists()
    assert StoredMark.objects.get().is_closed


def test_a_folder_left_over_after_it_was_closed_is_only_deleted(
    journal: Journal, shipper: Shipper, tmp_path: Path
) -> None:
    _serve(journal, 3)
    journal.close()
    copy = shutil.copytree(journal.folder, tmp_path.parent / f"{tmp_path.name}.copy")
    shipper.step()
    shutil.copytree(copy, journal.folder)

    assert shipper.step() == 0
    assert not journal.folder.exists()


def test_more_rows_than_fit_a_transaction_are_shipped_in_several(journal: Journal, shipper: Shipper) -> None:
    _serve(journal, 12_000)

    first = shipper.step()

    assert 5_000 <= first < 6_000
    assert first + _ship_all(shipper) == 12_000
    assert_rollups_are_sums_of_rows()


def test_each_batch_is_announced_once(journal: Journal, shipper: Shipper) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as listener:
        listener.execute("LISTEN tollgate_usage")
        _serve(journal, 7)
        shipper.step()
        shipper.step()

        heard = [notify.payload for notify in listener.notifies(timeout=0.3)]

    assert heard == ["7"]


def test_one_shipper_per_data_folder(journal: Journal, shipper: Shipper, tmp_path: Path) -> None:
    shipper.step()

    with pytest.raises(AlreadyShipping):
        Shipper(tmp_path, settings.DATABASE_URL).step()


def test_segments_replayed_thrice_in_any_order_change_nothing(
    journal: Journal, shipper: Shipper, tmp_path: Path
) -> None:
    for part in range(4):
        _serve(journal, 100, prefix=f"req_{part}", api_key_id=f"apikey_{part}")
        journal.refused(refused(f"refused_{part}"))
    journal.begin(begin("req_running"))
    journal.close()
    copies = [shutil.copytree(journal.folder, tmp_path.parent / str(uuid.uuid4())) for _ in range(3)]
    _ship_all(shipper)
    rows = list(UsageRecord.objects.order_by("started_at", "request_id").values())
    sums = rollups()

    random.shuffle(copies)
    for copy in copies:
        copy.rename(tmp_path / copy.name)
        assert _ship_all(shipper) == 0

    assert len(rows) == 405
    assert list(UsageRecord.objects.order_by("started_at", "request_id").values()) == rows
    assert rollups() == sums
    assert_rollups_are_sums_of_rows()


def test_rows_in_any_order_and_portion_make_the_same_ledger() -> None:
    counts: list[int] = []

    _ship_in_portions(_rows("req", 200), Mark(uuid.uuid4(), Position(1, 0), Position(1, 0)), counts)

    assert counts == [200]
    assert_rollups_are_sums_of_rows()


def test_two_shippers_of_one_folder_write_each_row_once() -> None:
    mark = Mark(uuid.uuid4(), Position(1, 0), Position(1, 0))
    counts: list[int] = []

    _at_the_same_time(*[(_rows("req", 200), mark, counts)] * 2)

    assert sum(counts) == 200
    assert_rollups_are_sums_of_rows()


def test_shippers_of_two_hosts_add_to_the_same_sums() -> None:
    counts: list[int] = []

    _at_the_same_time(
        *[
            (_rows(host, 200), Mark(uuid.uuid4(), Position(1, 0), Position(1, 0)), counts)
            for host in ("one", "two", "three")
        ]
    )

    assert counts == [200, 200, 200]
    assert sum(each.requests for each in UsageMinute.objects.all()) == 600
    assert_rollups_are_sums_of_rows()


def _at_the_same_time(*shipments: tuple[list[Row], Mark, list[int]]) -> None:
    threads = [threading.Thread(target=_ship_in_portions, args=shipment) for shipment in shipments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_row_that_postgresql_refuses_is_put_aside_and_stops_nobody(
    journal: Journal, shipper: Shipper, tmp_path: Path
) -> None:
    _serve(journal, 50)
    journal.begin(begin("req_odd", organization_id="no uuid"))
    journal.end(end("req_odd"))
    journal.begin(begin("req_far", started_at_us=10**17))
    journal.end(end("req_far", status=10**6))
    journal.begin(begin("req_typed"))
    journal.end(end("req_typed", status={"code": 200}))
    _serve(journal, 50, prefix="later")

    assert _ship_all(shipper) == 100

    put_aside = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text().splitlines()]
    assert [entry["row"][1] for entry in put_aside] == ["req_odd", "req_far", "req_typed"]
    assert_rollups_are_sums_of_rows()


def test_a_record_that_cannot_be_read_is_put_aside_and_stops_nobody(
    journal: Journal, shipper: Shipper, tmp_path: Path
) -> None:
    journal.begin(begin("req_1"))
    journal.begin(begin("req_odd", started_at_us="noon"))
    journal.end(end("req_odd"))
    journal.end(end("req_1"))

    assert _ship_all(shipper) == 1

    (entry,) = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text().splitlines()]
    assert entry["problem"].startswith("TypeError")


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
    assert _ship_all(shipper) == 3

    shipper.start_again()
    assert _ship_all(shipper) == 0
    journal.end(end("req_long"))
    assert _ship_all(shipper) == 1

    assert not (tmp_path / "quarantine.jsonl").exists()
    assert_rollups_are_sums_of_rows()


def test_nul_and_control_characters_do_not_stop_a_row(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin(requested_model="claude\x00sonnet", user_agent="a\tb\nc\\d"))
    journal.end(end(usage={"note\x00": "\x00", "output_tokens": 87}))

    assert shipper.step() == 1

    row = UsageRecord.objects.get()
    assert (row.requested_model, row.usage["output_tokens"]) == ("claude sonnet", 87)


def test_damage_in_the_middle_costs_the_damaged_record_only(journal: Journal, shipper: Shipper) -> None:
    _serve(journal, 20)
    journal.close()
    segment = segments.path(journal.folder, 1)
    data = bytearray(segment.read_bytes())
    data[data.index(b'"req_7"') + 2] ^= 1
    segment.write_bytes(data)

    assert _ship_all(shipper) == 19
    assert_rollups_are_sums_of_rows()


def test_a_broken_connection_is_replaced(journal: Journal, shipper: Shipper) -> None:
    journal.begin(begin("req_long"))
    _serve(journal, 3)
    shipper.step()
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate shipper'"
        )
    _serve(journal, 3, prefix="later")
    journal.end(end("req_long"))

    with pytest.raises(psycopg.OperationalError):
        shipper.step()
    shipper.start_again()

    assert shipper.step() == 4
    assert_rollups_are_sums_of_rows()
