"""Rows, multiples, goals and the table, from measurements with numbers small enough to check by eye."""

from dataclasses import replace

from config.bench.measurement import DIRECT, NGINX, TOLLGATE, Measurement, Stage
from config.bench.report import Report, report
from config.bench.table import goal_lines, lines_of, notes

ONE = Measurement(
    target=TOLLGATE,
    load="json",
    stage=Stage.FULL,
    rate=None,
    seconds=1.0,
    requests=10_000,
    events=0,
    web_cpu_seconds=1.0,
    web_waited_seconds=0.0,
    generator_cpu_seconds=0.2,
    mock_cpu_seconds=0.1,
    postgres_cpu_seconds=0.3,
    other_cpu_seconds=0.2,
    memory_growth_kb=0,
    sent=10_000,
    failures={},
    latency_ms={"p50": 2.0, "p99": 9.0},
    first_byte_ms={"p50": 1.0, "p99": 4.0},
    event_delay_ms=None,
)
NGINX_ONE = replace(ONE, target=NGINX, requests=20_000, web_cpu_seconds=0.4, sent=20_000)


def reported(*measurements: Measurement) -> Report:
    return report(measurements, sent=10_000, recorded=10_000)


def goal(of: Report, what: str) -> tuple[float | None, bool | None]:
    return next((goal.value, goal.is_met) for goal in of.goals if goal.what == what)


def test_cpu_is_per_request_and_a_multiple_of_nginx_in_the_same_run() -> None:
    found = reported(ONE, NGINX_ONE)

    row = found.row(TOLLGATE, "json")

    assert row is not None
    assert (row.cpu_us_per_request, row.postgres_cpu_us_per_request, row.other_cpu_us_per_request) == (100, 30, 20)
    assert goal(found, "web worker's CPU per JSON request") == (5.0, True)
    assert goal(found, "all processes' CPU per JSON request") == (7.5, True)


def test_the_work_behind_the_answers_is_shared_by_all_requests_sent_not_by_those_of_the_window() -> None:
    row = reported(replace(ONE, sent=20_000)).row(TOLLGATE, "json")

    assert row is not None
    assert row.postgres_cpu_us_per_request == 15


def test_the_figure_is_that_of_the_median_round() -> None:
    row = reported(ONE, replace(ONE, web_cpu_seconds=9.0), replace(ONE, web_cpu_seconds=1.1)).row(TOLLGATE, "json")

    assert row is not None
    assert row.cpu_us_per_request == 110


def test_added_latency_is_that_at_half_load_less_the_mocks_own() -> None:
    half = replace(ONE, stage=Stage.HALF, rate=5_000.0, latency_ms={"p50": 1.5, "p99": 6.0})
    direct = replace(half, target=DIRECT, latency_ms={"p50": 0.5, "p99": 2.0})

    found = reported(ONE, half, direct)

    row = found.row(TOLLGATE, "json")
    assert row is not None
    assert (row.p50_added_ms, row.p99_added_ms, row.half_load_requests_per_second) == (1.0, 4.0, 5_000)


def test_paced_streams_report_each_events_delay_and_memory() -> None:
    paced = replace(
        ONE,
        load="paced",
        requests=0,
        events=5_000,
        sent=500,
        memory_growth_kb=50_000,
        latency_ms=None,
        event_delay_ms={"p50": 1.0, "p99": 25.0},
    )
    direct = replace(paced, target=DIRECT, event_delay_ms={"p50": 0.1, "p99": 1.0})

    found = reported(paced, direct)

    row = found.row(TOLLGATE, "paced")
    assert row is not None
    assert (row.cpu_us_per_request, row.cpu_us_per_event, row.requests_per_second) == (None, 200, None)
    assert goal(found, "added delay of a paced event, p99") == (24.0, False)
    assert goal(found, "memory of an open stream") == (100.0, False)


def test_without_nginx_the_multiples_are_unknown_not_met() -> None:
    found = reported(ONE)

    assert goal(found, "web worker's CPU per JSON request") == (None, None)
    assert "nginx is not installed: skipped, and with it all multiples of it." in notes(found)
    assert any(line.startswith("unknown  web worker's CPU per JSON request: -") for line in goal_lines(found.goals))


def test_console_pages_are_a_goal_only_when_they_were_asked_for() -> None:
    quiet = replace(ONE, stage=Stage.QUIET, rate=5_000.0, latency_ms={"p50": 1.0, "p99": 3.0})
    pages = replace(quiet, stage=Stage.PAGES, latency_ms={"p50": 1.0, "p99": 7.5})

    assert goal(reported(ONE, quiet, pages), "p99 added by two console pages a second") == (4.5, True)
    assert all("console" not in goal.what for goal in reported(ONE).goals)


def test_a_warm_up_counts_in_no_figure() -> None:
    row = reported(ONE, replace(ONE, stage=Stage.WARM_UP, web_cpu_seconds=50.0)).row(TOLLGATE, "json")

    assert row is not None
    assert row.cpu_us_per_request == 100


def test_the_json_has_the_promised_fields() -> None:
    found = reported(ONE, NGINX_ONE).as_json()

    promised = {
        "target",
        "load",
        "cpu_us_per_request",
        "cpu_us_per_event",
        "postgres_cpu_us_per_request",
        "requests_per_second",
        "p50_added_ms",
        "p99_added_ms",
        "kb_per_stream",
    }
    assert (found["sent"], found["rows"]) == (10_000, 10_000)
    assert [run["target"] for run in found["runs"]] == ["tollgate", "nginx"]
    assert all(promised <= set(run) for run in found["runs"])


def test_what_held_a_target_down_is_said() -> None:
    idle = replace(NGINX_ONE, web_cpu_seconds=0.5)
    disturbed = replace(NGINX_ONE, web_cpu_seconds=0.5, web_waited_seconds=0.45)

    assert any("nginx used 50% of its core: the load generator" in note for note in notes(reported(ONE, idle)))
    assert any("while a worker was ready: nginx json, full 45%." in note for note in notes(reported(ONE, disturbed)))
    assert not any("ready" in note or "bottleneck" in note for note in notes(reported(ONE)))


def test_missing_rows_and_failures_are_said_loudly() -> None:
    found = report([replace(ONE, failures={"status 529": 3})], sent=10_000, recorded=9_999)

    text = "\n".join(lines_of(found))

    assert "9,999 rows in the ledger, NOT as many as the 10,000 requests sent." in text
    assert "FAILED: 3 x tollgate json: status 529" in text


def test_the_tables_columns_are_aligned() -> None:
    lines = lines_of(reported(ONE, NGINX_ONE))

    assert lines[2].startswith("json  tollgate, no limits")
    assert lines[3].startswith("json  nginx              ")
    assert lines[2].index("5.00") + 4 == lines[1].index("nginx") + 5
