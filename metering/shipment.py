"""The SQL of a shipment: rows into the ledger, and from those really written, sums into the rollups."""

from collections.abc import Iterable

from psycopg import sql

from metering.rows import COLUMNS, SHIPPED, SUMS

DIMENSIONS = (
    "organization_id",
    "started_at",
    "workspace_id",
    "api_key_id",
    "account_id",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "speed",
    "upstream",
    "outcome",
    "is_simulated",
)
"""The key of both rollups, in the order in which all shippers lock them."""

_NULLABLE = ("workspace_id", "api_key_id", "account_id")
_COUNTED = ("requests", *SUMS)
_ROW = ("request_id", "attempt")
"""Of a row's key, what is no dimension."""

CREATE = """
CREATE TEMPORARY TABLE shipment (LIKE metering_usagerecord, holder uuid, holds text[]) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE shipped_money (
    organization_id uuid, workspace_id text, api_key_id text, started_at timestamptz,
    cost_picos numeric, counts boolean, holder uuid, holds text[]
) ON COMMIT DELETE ROWS
"""
MARK = """
SELECT segment, "offset", shipped_segment, shipped_offset, is_closed FROM metering_journalfolder WHERE id = %s
"""
LOCK = """
INSERT INTO metering_journalfolder (id, segment, "offset", shipped_segment, shipped_offset, is_closed, created_at)
SELECT id, 0, 0, 0, 0, false, now() FROM unnest(%s::uuid[]) AS id ORDER BY id
ON CONFLICT (id) DO UPDATE SET is_closed = metering_journalfolder.is_closed
"""
MOVE = """
UPDATE metering_journalfolder
SET segment = %s, "offset" = %s, shipped_segment = %s, shipped_offset = %s, is_closed = %s WHERE id = %s
"""
MONEY = "SELECT tollgate_ship_money(%s::uuid[])"
NOTIFY = "SELECT pg_notify(%s, %s)"


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _not_null(name: str) -> sql.Composable:
    column = sql.Identifier(name)
    return sql.SQL("coalesce({0}, '') AS {0}").format(column) if name in _NULLABLE else column


def _sums(interval: sql.SQL, source: str) -> sql.Composed:
    """The rows of `source`, summed up by interval and dimensions."""
    dimensions = [interval if name == "started_at" else sql.Identifier(name) for name in DIMENSIONS]
    sums = [sql.SQL("sum({0}) AS {0}").format(sql.Identifier(name)) for name in _COUNTED]
    return sql.SQL("SELECT {}, {} FROM {} GROUP BY {}").format(
        sql.SQL(", ").join(dimensions),
        sql.SQL(", ").join(sums),
        sql.Identifier(source),
        sql.SQL(", ").join(map(sql.SQL, map(str, range(1, len(DIMENSIONS) + 1)))),
    )


def _add_to(rollup: str, source: sql.Composable) -> sql.Composed:
    """Add sums to a rollup, in the order of its key: two shippers that meet never wait in a ring."""
    additions = [sql.SQL("{0} = rollup.{0} + excluded.{0}").format(sql.Identifier(name)) for name in _COUNTED]
    return sql.SQL(
        "INSERT INTO {rollup} AS rollup ({key}, {counted}) {source} ORDER BY {key} "
        "ON CONFLICT ({key}) DO UPDATE SET {additions}"
    ).format(
        rollup=sql.Identifier(rollup),
        key=_names(DIMENSIONS),
        counted=_names(_COUNTED),
        source=source,
        additions=sql.SQL(", ").join(additions),
    )


COPY = sql.SQL("COPY shipment ({}) FROM STDIN").format(_names(SHIPPED))
WRITE = sql.SQL(
    "WITH written AS ("
    "INSERT INTO metering_usagerecord ({columns}) SELECT {columns} FROM shipment ON CONFLICT DO NOTHING "
    "RETURNING {returned}"
    "), minutes AS ({minutes}), "
    "quarters AS ({add_quarters}), "
    "added AS ({add_minutes}), "
    "paid AS ("
    "INSERT INTO shipped_money SELECT s.organization_id, s.workspace_id, s.api_key_id, s.started_at, s.cost_picos, "
    "%(simulated_counts)s OR NOT s.is_simulated, s.holder, s.holds "
    "FROM written w JOIN shipment s USING (started_at, request_id, attempt) WHERE s.cost_picos > 0"
    ") "
    "SELECT count(*) FROM written"
).format(
    columns=_names(COLUMNS),
    returned=sql.SQL(", ").join([*map(_not_null, DIMENSIONS), *map(sql.Identifier, (*_COUNTED, *_ROW))]),
    minutes=_sums(sql.SQL("date_trunc('minute', started_at) AS started_at"), "written"),
    add_quarters=_add_to(
        "metering_usagequarterhour",
        _sums(sql.SQL("date_bin('15 minutes', started_at, 'epoch') AS started_at"), "minutes"),
    ),
    add_minutes=_add_to(
        "metering_usageminute", sql.SQL("SELECT {} FROM minutes").format(_names([*DIMENSIONS, *_COUNTED]))
    ),
)
