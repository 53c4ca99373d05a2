import pytest

from tests.metering.limits.clock import Clock


@pytest.fixture
def clock(db: None) -> Clock:
    """The centre's clock, in the test's hands until its transaction ends."""
    return Clock()
