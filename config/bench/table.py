"""The report as text. Pure."""

from collections.abc import Sequence

from config.bench.loads import LOADS
from config.bench.measurement import DIRECT, NGINX, TOLLGATE
from config.bench.report import SATURATED, Goal, Report, Row

NAMES = {TOLLGATE: "tollgate, no limits", NGINX: "nginx", DIRECT: "the mock, directly"}
MULTIPLE_OF = {"json": "cpu_us_per_request", "sse": "cpu_us_per_event", "paced": "cpu_us_per_event"}

HEADINGS = (
    "load",
    "target",
    "CPU us/request",
    "us/event",
    "x nginx",
    "PostgreSQL us/request",
    "others us/request",
    "requests/s",
    "added p50 ms",
    "added p99 ms",
    "first byte ms",
    "kB/stream",
)


def lines_of(report: Report) -> list[str]:
    """The table, the goals and what to know about them."""
    cells = [list(HEADINGS), *(_cells(report, row) for row in report.rows)]
    return [*columns(cells), "", *goal_lines(report.goals), "", *row_lines(report), *notes(report)]


def columns(cells: Sequence[Sequence[str]]) -> list[str]:
    """Aligned columns: words to the left, numbers to the right; a heading of two words takes two lines."""
    head = [heading.rpartition(" ")[::2] for heading in cells[0]]
    table = [[above for above, _ in head], [below for _, below in head], *cells[1:]]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _cells(report: Report, row: Row) -> list[str]:
    multiple = report.multiple(row.load, MULTIPLE_OF[row.load]) if row.target == TOLLGATE else None
    return [
        row.load,
        NAMES[row.target],
        number(row.cpu_us_per_request),
        number(row.cpu_us_per_event),
        number(multiple),
        number(row.postgres_cpu_us_per_request),
        number(row.other_cpu_us_per_request),
        number(row.requests_per_second),
        number(row.p50_added_ms),
        number(row.p99_added_ms),
        number(row.first_byte_p50_ms),
        number(row.kb_per_stream),
    ]


def goal_lines(goals: Sequence[Goal]) -> list[str]:
    return [
        f"{_verdict(goal):8} {goal.what}: {number(goal.value)} {goal.unit} (at most {goal.limit:g})" for goal in goals
    ]


def row_lines(report: Report) -> list[str]:
    """Whether the ledger holds what was sent, and what failed."""
    agree = "as many as" if report.recorded == report.sent else "NOT as many as"
    lines = [f"{report.recorded:,} rows in the ledger, {agree} the {report.sent:,} requests sent."]
    return lines + [f"FAILED: {count:,} x {failure}" for failure, count in sorted(report.failures.items())]


def notes(report: Report) -> list[str]:
    """What the figures do not say by themselves: what held them down, and what they are elsewhere."""
    has_nginx = any(row.target == NGINX for row in report.rows)
    return [
        *([] if has_nginx else ["nginx is not installed: skipped, and with it all multiples of it."]),
        *(note for load in LOADS for note in _about_the_mock(report, load)),
        *(note for row in report.rows if row.target != DIRECT for note in _bottleneck(row)),
        *_disturbed(report),
        *(note for load in LOADS for note in _at_half_load(report, load)),
    ]


def _about_the_mock(report: Report, load: str) -> list[str]:
    row = report.row(DIRECT, load)
    if row is None or row.requests_per_second is None:
        return []
    return [f"{load}: the load generator and the mock alone reach {row.requests_per_second:,.0f} requests/s."]


def _bottleneck(row: Row) -> list[str]:
    if row.requests_per_second is None or row.busy is None or row.waited is None or row.busy + row.waited >= SATURATED:
        return []
    return [
        f"{row.load}: {NAMES[row.target]} used {row.busy:.0%} of its core: the load generator and the mock were the"
        " bottleneck, its requests/s are a lower bound. Its CPU per request stands."
    ]


def _disturbed(report: Report) -> list[str]:
    if not report.disturbances:
        return []
    shares = "; ".join(f"{name} {share:.0%}" for name, share in report.disturbances.items())
    return [f"Other programs had the core while a worker was ready: {shares}. Trust multiples there, not times."]


def _at_half_load(report: Report, load: str) -> list[str]:
    """A proxy that sleeps between requests pays for waking: the multiple at the same, lower rate."""
    multiple = report.multiple(load, "half_load_cpu_us_per_request")
    row = report.row(TOLLGATE, load)
    if multiple is None or row is None or row.half_load_requests_per_second is None:
        return []
    rate = row.half_load_requests_per_second
    return [f"{load}: at {rate:,.0f} requests/s, half of full speed, the web worker takes {number(multiple)} x nginx."]


def number(value: float | None) -> str:
    """Three digits that matter; a dash where nothing was measured."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _verdict(goal: Goal) -> str:
    return {True: "met", False: "MISSED", None: "unknown"}[goal.is_met]
