from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.money import cents, usd


@pytest.mark.parametrize(
    ("picos", "dollars", "in_cents"),
    [
        (0, "0", "0"),
        (96_925_000_000, "0.096925", "9.6925"),
        (106_617_500_000, "0.1066175", "10.66175"),
        (7 * 10**12, "7", "700"),
        (1, "0.000000000001", "0.0000000001"),
        (-5 * 10**11, "-0.5", "-50"),
    ],
)
def test_amounts_are_exact_and_short(picos: int, dollars: str, in_cents: str) -> None:
    assert (usd(picos), cents(picos)) == (dollars, in_cents)


@given(st.integers(-(10**30), 10**30))
def test_no_amount_is_ever_rounded(picos: int) -> None:
    assert Fraction(usd(picos)) * 10**12 == picos
    assert Fraction(cents(picos)) * 10**10 == picos
