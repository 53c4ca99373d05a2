from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metering import reports
from metering.reports import Every, Selection
from relay.models import Upstream
from tests.metering.ledger import Team

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 10, 12, 7, tzinfo=UTC)
DAY = datetime(2026, 11, 10, tzinfo=UTC)
ONE_CENT = {"output_tokens": 1_000}  # of Sonnet 5.5: 1,000 x 10 USD a million


def _of(team: Team, **more: object) -> Selection:
    return Selection(organization_id=team.organization.id, start=DAY, end=DAY + timedelta(days=7), **more)  # type: ignore[arg-type]


def test_the_total_of_an_organization_and_never_of_another() -> None:
    acme, globex = Team("acme"), Team("globex")
    acme.use(NOON, ONE_CENT)
    acme.use(NOON + timedelta(days=1), ONE_CENT, key=acme.research_key)
    globex.use(NOON, ONE_CENT)

    total = reports.total(_of(acme))

    assert (total.requests, total.output_tokens, total.cost_picos) == (2, 2_000, 2 * 10**10)


def test_an_empty_ledger_is_all_zeros() -> None:
    total = reports.total(_of(Team("acme")))

    assert total.is_empty
    assert total.requests == 0


def test_groups_come_with_their_sums_in_order() -> None:
    acme = Team("acme")
    acme.use(NOON, ONE_CENT, model="claude-sonnet-5-5")
    acme.use(NOON, {"output_tokens": 10}, model="claude-haiku-4-5-20251001")
    acme.use(NOON + timedelta(hours=3), ONE_CENT, model="claude-sonnet-5-5")

    lines = reports.sums(_of(acme), "model")

    assert [(line.group["model"], line.requests, line.output_tokens) for line in lines] == [
        ("claude-haiku-4-5-20251001", 1, 10),
        ("claude-sonnet-5-5", 2, 2_000),
    ]


def test_days_begin_where_the_reader_lives() -> None:
    acme = Team("acme")
    kathmandu = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead: its midnight is 18:15 UTC
    acme.use(DAY + timedelta(hours=18, minutes=14), ONE_CENT)
    acme.use(DAY + timedelta(hours=18, minutes=15), ONE_CENT)

    lines = reports.sums(_of(acme), every=Every.DAY, zone=kathmandu)

    assert [line.started_at for line in lines] == [
        datetime(2026, 11, 10, tzinfo=kathmandu),
        datetime(2026, 11, 11, tzinfo=kathmandu),
    ]


def test_minutes_come_from_the_finer_rollup() -> None:
    acme = Team("acme")
    acme.use(NOON, ONE_CENT)
    acme.use(NOON + timedelta(minutes=1), ONE_CENT)

    lines = reports.sums(_of(acme), every=Every.MINUTE)

    assert [line.started_at for line in lines] == [NOON, NOON + timedelta(minutes=1)]


def test_filters_hold_to_the_values_given() -> None:
    acme = Team("acme")
    acme.use(NOON, ONE_CENT)
    acme.use(NOON, ONE_CENT, key=acme.research_key)

    assert reports.total(_of(acme, where={"api_key_id": [acme.research_key.id]})).requests == 1
    assert reports.total(_of(acme, where={"api_key_id": []})).requests == 0


def test_simulated_rows_count_until_a_real_upstream_exists(django_assert_num_queries: object) -> None:
    acme = Team("acme")
    acme.use(NOON, ONE_CENT, is_simulated=True)
    Upstream.objects.create(name="play", kind="simulator", base_url="http://127.0.0.1:1")

    before = reports.total(_of(acme)).requests
    real = Upstream.objects.create(name="real", kind="anthropic", base_url="https://api.example.com")
    after = reports.total(_of(acme)).requests
    asked = reports.total(_of(acme, include_simulated=True)).requests
    real.is_enabled = False
    real.save()
    switched_off = reports.total(_of(acme)).requests

    assert (before, after, asked, switched_off) == (1, 0, 1, 1)


def test_a_report_is_two_queries(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    acme = Team("acme")
    for hour in range(5):
        acme.use(NOON + timedelta(hours=hour), ONE_CENT)

    with django_assert_num_queries(2):
        reports.sums(_of(acme), "model", "workspace_id", every=Every.DAY)


def test_lines_can_be_added_up_without_asking_again() -> None:
    acme = Team("acme")
    acme.use(NOON, ONE_CENT)
    acme.use(NOON, ONE_CENT, key=acme.research_key)

    assert reports.added(reports.sums(_of(acme), "api_key_id")) == reports.total(_of(acme))
