"""How people say from when on: a day, a moment, or so long ago. Pure: the caller brings the clock."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse(text: str, now: datetime) -> datetime:
    """The moment in UTC. `2026-11-01`, `2026-11-01T10:00+02:00` (UTC without an offset), `90m`, `24h`, `7d`, `2w`.

    Raises ValueError with words for the person who wrote it.
    """
    try:
        ago = _AGO.fullmatch(text)
        if ago:
            return now.astimezone(UTC) - int(ago[1]) * _UNITS[ago[2]]
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no time: write 2026-11-01, 2026-11-01T10:00, 24h or 7d") from None
