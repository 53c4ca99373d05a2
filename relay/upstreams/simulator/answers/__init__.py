"""Composing an answer from the conversation alone: text, thinking, tool calls, and how a stream carries them."""
