"""How many input tokens a body will probably count, from its size alone."""

from relay.reading import Reading

BYTES_PER_TOKEN = 3.5
"""Of the newer tokenizer, for text (token counting reference)."""


def input_tokens(reading: Reading) -> int:
    return max(1, int(reading.size / BYTES_PER_TOKEN))
