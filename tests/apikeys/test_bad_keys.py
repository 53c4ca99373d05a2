from apikeys.bad_keys import CAPACITY, MOST_ADDRESSES, BadKeys


def spend(bad_keys: BadKeys, address: str, now: float, times: int = CAPACITY) -> None:
    for _ in range(times):
        bad_keys.count(address, now)


def test_an_address_may_send_sixty_bad_keys_then_one_a_second() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "192.0.2.1", now=1_000)

    assert bad_keys.retry_after_seconds("192.0.2.1", now=1_000) == 1
    assert bad_keys.retry_after_seconds("192.0.2.1", now=1_001) == 0
    bad_keys.count("192.0.2.1", now=1_001)
    assert bad_keys.retry_after_seconds("192.0.2.1", now=1_001) == 1


def test_addresses_do_not_answer_for_each_other() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "192.0.2.1", now=1_000)

    assert bad_keys.retry_after_seconds("192.0.2.2", now=1_000) == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "2001:db8:1:2::1", now=1_000)

    assert bad_keys.retry_after_seconds("2001:db8:1:2:ffff::9", now=1_000) == 1
    assert bad_keys.retry_after_seconds("2001:db8:1:3::1", now=1_000) == 0


def test_ipv4_in_ipv6_is_ipv4() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "::ffff:192.0.2.1", now=1_000)

    assert bad_keys.retry_after_seconds("192.0.2.1", now=1_000) == 1
    assert bad_keys.retry_after_seconds("::ffff:192.0.2.2", now=1_000) == 0


def test_what_is_no_address_is_counted_too() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "unix:", now=1_000)

    assert bad_keys.retry_after_seconds("unix:", now=1_000) == 1


def test_a_clock_that_steps_back_refills_nothing() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "192.0.2.1", now=1_000)

    assert bad_keys.retry_after_seconds("192.0.2.1", now=10) == 1


def test_many_addresses_do_not_make_it_forget_the_worst() -> None:
    bad_keys = BadKeys()

    spend(bad_keys, "192.0.2.1", now=1_000)
    for number in range(MOST_ADDRESSES + 1):
        bad_keys.count(f"address {number}", now=1_000)

    assert bad_keys.retry_after_seconds("192.0.2.1", now=1_000) == 1
    assert len(bad_keys._buckets) <= MOST_ADDRESSES
