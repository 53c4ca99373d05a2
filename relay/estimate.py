"""How many input tokens a body will probably count, from its size and the most that its model takes."""

from metering import catalogue
from relay.reading import Reading

BYTES_PER_TOKEN = 3.5
"""Of the newer tokenizer, for text (token counting reference)."""


UNKNOWN_CONTEXT_TOKENS = 1_000_000


def input_tokens(reading: Reading) -> int:
    """An image of 5 MB is not the million tokens that its bytes would be as text."""
    known = catalogue.find(reading.model)
    most = known.context_tokens if known else UNKNOWN_CONTEXT_TOKENS
    return min(most, max(1, int(reading.size / BYTES_PER_TOKEN)))
