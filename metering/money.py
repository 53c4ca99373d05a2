"""Pico-dollars as text, exactly. Pure."""


def usd(picos: int) -> str:
    """The exact amount in dollars without trailing zeros: 96,925,000,000 is "0.096925"."""
    return _shifted(picos, 12)


def cents(picos: int) -> str:
    """The exact amount in cents without trailing zeros: 96,925,000,000 is "9.6925"."""
    return _shifted(picos, 10)


def _shifted(picos: int, digits: int) -> str:
    """Put the decimal point; arithmetic on `Decimal` would round to the context's 28 digits, this does not."""
    sign = "-" if picos < 0 else ""
    text = str(abs(picos)).rjust(digits + 1, "0")
    fraction = text[-digits:].rstrip("0")
    return sign + text[:-digits] + (f".{fraction}" if fraction else "")
