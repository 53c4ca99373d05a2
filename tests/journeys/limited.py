"""A gateway with organizations and keys that have limits of their own."""

import itertools
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2

from tests.gateway import Gateway

MODEL = "claude-sonnet-4-6"
HELLO: Any = {"model": MODEL, "max_tokens": 16, "messages": [{"role": "user", "content": "Hello, Claude"}]}

_numbers = itertools.count(1)


@dataclass
class Limited:
    """One tenant; `secret` is that of a key in its workspace "Research"."""

    gateway: Gateway
    organization: str
    secret: str

    @classmethod
    def make(cls, gateway: Gateway, *, tier: str = "scale") -> "Limited":
        name = f"Tenant {next(_numbers)}"
        gateway.command("org", "create", name, "--tier", tier)
        made = gateway.command("key", "create", "--organization", name, "--workspace", "Research")
        return cls(gateway, name, made.stdout.strip())

    def limit(self, *options: str, on: str = "key") -> None:
        scope = {
            "key": ["--key", self.secret],
            "workspace": ["--organization", self.organization, "--workspace", "Research"],
            "organization": ["--organization", self.organization],
        }[on]
        done = self.gateway.command("limit", "set", *scope, *options)
        assert "not confirmed" not in done.stderr

    def client(self, *, max_retries: int = 0, seen: list[httpx2.Response] | None = None) -> anthropic.Anthropic:
        """`seen` gathers every answer, those that the SDK retries too."""
        hooks = {"response": [seen.append]} if seen is not None else {}
        return anthropic.Anthropic(
            api_key=self.secret,
            base_url=self.gateway.address,
            max_retries=max_retries,
            http_client=httpx2.Client(event_hooks=hooks),
        )
