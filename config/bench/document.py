"""docs/benchmark.md: what was measured, how, and how to read it. Its figures are those of one run."""

import os
import platform
from pathlib import Path

from config.bench import nginx
from config.bench.report import Report
from config.bench.table import goal_lines, lines_of

METHOD = """\
# Benchmark

`./tollgate bench` measures Tollgate beside nginx as a plain proxy: same machine, same load, same upstream, in one run.
Only the multiples of nginx travel from one machine to another; microseconds do not. This page is written by
`./tollgate bench --write-docs`.

## What runs

- **Tollgate**, started as `up` starts it, with one web worker, a data folder of its own and its embedded PostgreSQL
  with `fsync`. Everything is on: the key is checked, the request journaled before it goes upstream, the stream read
  along, the usage priced and written to the ledger. `tollgate, no limits` says that no limits were set.
- **nginx** with one worker, from `config/bench/nginx.conf` as it stands: 256 kept upstream connections, HTTP/1.1,
  `proxy_buffering off`, no access log. Without nginx installed it is left out, and the multiples with it.
- **the mock, directly**: what the upstream and the load generator can do alone. Where they held a target down, the
  output says so.

The web worker (and nginx's) has one core to itself; the mock, the load generator, PostgreSQL and the jobs process share
the others. With two cores they share one, so a fast proxy's requests/s are a lower bound; its CPU per request stands.

| load | what |
|---|---|
| `json` | 64 requests at once, each answered with a small JSON message |
| `sse` | 64 streams at once, each of 60 events that come as fast as they can |
| `paced` | 500 open streams, 10 events a second each, one write per event: what real models do |

Requests have a body of about 300 bytes and use kept-alive connections.

## What is measured

- **CPU** is the processor time that the kernel charged to the processes, user and system, helper processes and threads
  included. The web worker's is that of the measured window. PostgreSQL and the other processes (supervisor, jobs) work
  behind the answers: theirs is counted until the ledger holds every request, and divided by all of them.
- **Full speed** runs in three turns, Tollgate and nginx alternating; the figure is the median turn.
- **Added** milliseconds are a target's latency less that of the mock alone, both at half of the requests a second that
  Tollgate answers at full speed, requests falling due on a clock. For paced streams it is the delay of every single
  event, from the mock's write to the generator's read.
- **First byte** is the median time until the first byte of the body, at half load.
- **kB/stream** is the growth of the web worker's proportional set size with 500 streams open, divided by 500.
- **Console pages**, with `--console`: how far the p99 of JSON requests at half load rises while two pages of the
  console a second are made by the same worker.
- **Rows** in the ledger are counted at the end against all requests that were sent.
"""


def page(report: Report, *, machine: str, seconds: float) -> str:
    lines = lines_of(report)
    table = lines[: lines.index("")]
    rest = lines[len(table) + 2 + len(report.goals) :]
    blocks = [
        METHOD,
        f"## One run\n\n{machine}; {seconds:g} seconds a measurement.\n",
        _fenced(table),
        "## Goals\n",
        _fenced(goal_lines(report.goals)),
        *(f"- {line}" for line in rest if line),
    ]
    return "\n".join(blocks).rstrip() + "\n"


def _fenced(lines: list[str]) -> str:
    return "\n".join(["```text", *lines, "```\n"])


def machine() -> str:
    """What the figures were taken on."""
    program = nginx.find()
    parts = [
        f"{os.cpu_count()} cores ({_processor()})",
        f"Linux {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}",
        f"nginx {nginx.version(program)}" if program else "no nginx",
    ]
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
