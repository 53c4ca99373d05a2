"""What journeys share: installed client packages."""

from tests.journeys.installing import installer

__all__ = ["installer"]
