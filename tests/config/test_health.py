"""A worker that can take no requests says so to whoever spreads them."""

from pathlib import Path

from config.health import Health


async def test_a_journal_that_refuses_requests_makes_its_worker_unready(tmp_path: Path) -> None:
    trouble = "the journal's spool is full"
    health = Health(tmp_path, journal_trouble=lambda: trouble)

    assert await health.trouble() == trouble
