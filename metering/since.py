"""How people say from when on: a day, a moment, or so long ago. Pure: the caller brings the clock."""

from datetime import UTC, datetime

from apikeys import durations


def parse(text: str, now: datetime) -> datetime:
    """The moment in UTC. `2026-11-01`, `2026-11-01T10:00+02:00` (UTC without an offset), `90m`, `24h`, `7d`, `2w`.

    Raises ValueError with words for the person who wrote it.
    """
    try:
        if text[-1:].isalpha() and text[-1:] not in "Zz":
            return now.astimezone(UTC) - durations.parse(text)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no time: write 2026-11-01, 2026-11-01T10:00, 24h or 7d") from None
