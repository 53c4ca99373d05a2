"""What a worker runs, and what it tells the centre of it."""

from metering.limits.slots import Slots

SCOPES = ("org:acme", "key:one")


def test_only_scopes_with_a_limit_are_told_and_only_what_changed() -> None:
    slots = Slots()
    slots.enter(SCOPES)
    assert slots.news() == {}

    slots.limits = {"key:one": 2}
    news = slots.news()
    slots.sent(news)
    slots.heard(news, ())

    assert news == {"key:one": 1}
    assert slots.news() == {}
    slots.leave(SCOPES)
    assert slots.news() == {"key:one": 0}


def test_a_granted_slot_is_known_to_the_centre_already() -> None:
    slots = Slots()
    slots.limits = {"key:one": 2}

    slots.heard({}, SCOPES)
    slots.enter(SCOPES)

    assert slots.news() == {}
    assert slots.declared() == {"key:one": 1}


def test_a_draw_without_an_answer_is_told_anew_whatever_the_centre_heard() -> None:
    slots = Slots()

    slots.lost(["key:one"])

    assert slots.news() == {"key:one": 0}
