"""The shared table of counts: atomic, and true to what Django expects of a cache."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection


def test_values_come_back_and_run_out(db: None) -> None:
    cache.set("a", {"times": [1.5, 2]}, 60)
    cache.set("b", "gone", 0)

    assert cache.get("a") == {"times": [1.5, 2]}
    assert cache.get("b") is None
    assert cache.get("c", "nothing") == "nothing"
    assert cache.delete("a") is True
    assert cache.delete("a") is False


def test_adding_takes_the_place_only_of_what_has_run_out(db: None) -> None:
    cache.set("old", 7, -1)

    assert cache.add("old", 1, 60) is True
    assert cache.add("old", 2, 60) is False
    assert cache.get("old") == 1
    assert cache.touch("old", -1) is True
    assert cache.touch("old", 60) is False


def test_counting_up_what_is_not_there_is_an_error(db: None) -> None:
    with pytest.raises(ValueError, match="not found"):
        cache.incr("nothing")


@pytest.mark.django_db(transaction=True)
def test_no_count_is_lost_between_threads() -> None:
    def count(_: int) -> int:
        try:
            return 1 if cache.add("attempts", 1, 60) else cache.incr("attempts")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(count, range(200)))

    assert sorted(counts) == list(range(1, 201))


def test_the_table_is_unlogged_because_it_may_be_lost(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'apikeys_ratelimit'")
        assert cursor.fetchone() == ("u",)


def test_what_has_run_out_is_swept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apikeys.ratelimit_cache.SWEEP_ONE_IN", 1)
    cache.set("old", 1, -1)

    cache.add("new", 1, 60)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM apikeys_ratelimit")
        assert cursor.fetchone() == (1,)
