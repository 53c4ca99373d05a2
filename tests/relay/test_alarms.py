"""The mark on an upstream that refuses our account: set, taken away, and never written over and over."""

from dataclasses import replace

import pytest

from relay.alarms import MOST_CHANGES, AccountAlarms
from relay.routing import Target
from relay.upstreams.anthropic import Anthropic

TARGET = Target(1, "up", Anthropic("http://real.test", "key"), ("*",), has_credential=True, drains=True)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would go to the database."""
    found: list[str] = []
    monkeypatch.setattr(AccountAlarms, "_run", lambda _, statement, values: found.append(statement.split("=")[1][:6]))
    return found


SET, CLEAR = " now()", " NULL,"


def test_the_first_refusal_sets_the_mark_and_the_first_good_answer_takes_it_away(written: list[str]) -> None:
    alarms = AccountAlarms()

    for _ in range(100):
        alarms.raised(TARGET, "no")
    for _ in range(100):
        alarms.cleared(TARGET)

    assert [text.startswith(SET) for text in written] == [True, False]


def test_a_mark_of_another_process_is_taken_away_once(written: list[str]) -> None:
    """Or of this one, before it was started again with a better credential."""
    alarms = AccountAlarms()
    marked = replace(TARGET, is_refused=True)

    for _ in range(100):
        alarms.cleared(marked)
    assert len(written) == 1

    alarms.cleared(replace(TARGET, is_refused=True))  # read from the database again, and still marked
    assert len(written) == 2


def test_an_upstream_that_refuses_every_other_request_is_not_marked_each_time(written: list[str]) -> None:
    alarms = AccountAlarms()

    for _ in range(1_000):
        alarms.raised(TARGET, "not this model")
        alarms.cleared(TARGET)

    assert len(written) == MOST_CHANGES
