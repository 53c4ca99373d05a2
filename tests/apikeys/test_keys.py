import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys import keys

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KINDS = st.sampled_from(["api", "admin"])


@given(KINDS)
def test_a_secret_is_what_a_scanner_looks_for(kind: str) -> None:
    secret = keys.make_secret(kind)

    assert re.fullmatch(r"sk-toll-(api|admin)01-[0-9A-Za-z]{49}", secret)
    assert secret.startswith(f"sk-toll-{kind}01-")
    assert keys.looks_valid(secret)


@given(KINDS, st.integers(0, 200), st.sampled_from(ALPHABET))
def test_one_mistyped_character_never_looks_valid(kind: str, position: int, character: str) -> None:
    secret = keys.make_secret(kind)
    position %= len(secret)

    mistyped = secret[:position] + character + secret[position + 1 :]

    assert keys.looks_valid(mistyped) == (mistyped == secret)


@given(KINDS, st.integers(0, 200))
def test_two_characters_swapped_never_look_valid(kind: str, position: int) -> None:
    secret = keys.make_secret(kind)
    position %= len(secret) - 1

    swapped = secret[:position] + secret[position + 1] + secret[position] + secret[position + 2 :]

    assert keys.looks_valid(swapped) == (swapped == secret)


@given(KINDS, st.integers(0, 60))
def test_a_secret_cut_short_or_grown_does_not_look_valid(kind: str, length: int) -> None:
    secret = keys.make_secret(kind)

    assert not keys.looks_valid(secret[:length])
    assert not keys.looks_valid(secret + "0")
    assert not keys.looks_valid(secret + "\n")
    assert not keys.looks_valid(" " + secret)


@given(st.text())
def test_any_text_can_be_checked_and_digested(text: str) -> None:
    assert not keys.looks_valid(text)
    assert len(keys.digest(text, b"pepper")) == 32


def test_text_that_is_no_unicode_can_be_digested() -> None:
    assert len(keys.digest("\udcff", b"pepper")) == 32
    assert not keys.looks_valid("sk-toll-api01-" + "\udcff" * 49)


def test_a_digit_of_another_script_is_not_a_digit() -> None:
    assert not keys.looks_valid("sk-toll-api01-" + "٣" * 49)


@given(st.text(), st.text(), st.binary(min_size=1, max_size=32))
def test_digests_tell_secrets_apart_and_depend_on_the_pepper(one: str, other: str, pepper: bytes) -> None:
    assert (keys.digest(one, pepper) == keys.digest(other, pepper)) == (one == other)
    assert keys.digest(one, pepper) != keys.digest(one, pepper + b"x")
    assert keys.Digester(pepper)(one) == keys.digest(one, pepper)


@given(KINDS)
def test_a_hint_shows_seven_random_characters_and_no_more(kind: str) -> None:
    secret = keys.make_secret(kind)
    prefix = f"sk-toll-{kind}01-"

    assert keys.hint(secret) == prefix + secret[len(prefix) :][:3] + "..." + secret[-4:]


def test_a_kind_that_does_not_exist_has_no_secrets() -> None:
    with pytest.raises(KeyError):
        keys.make_secret("user")


def test_secrets_differ() -> None:
    assert len({keys.make_secret("api") for _ in range(1000)}) == 1000


def test_digesting_takes_microseconds() -> None:
    digest, secret = keys.Digester(b"p" * 32), keys.make_secret("api")

    began = time.perf_counter()
    for _ in range(10_000):
        digest(secret)

    assert (time.perf_counter() - began) / 10_000 < 20e-6  # about 1 us; the bound leaves room for a busy machine
