"""What a prompt is made of, what it costs in tokens, and which of them the cache holds."""
