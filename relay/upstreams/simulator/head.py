"""The head of a request, and what the API demands of it: a version, a credential, known betas."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qs

from relay.upstreams.simulator.betas import BETAS
from relay.upstreams.simulator.refusals import Refusal, invalid

VERSIONS = frozenset({"2023-01-01", "2023-06-01", "2026-10-21"})
NO_SAMPLING_VERSION = "2026-10-21"
REFUSED_KEYS = "sk-invalid"


@dataclass(frozen=True, slots=True)
class Head:
    """Method, path and headers; repeated headers are joined by a comma, as HTTP allows."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.query_string, keep_blank_values=True)

    @property
    def version(self) -> str:
        return self.headers.get("anthropic-version", "")

    @property
    def gateway_request_id(self) -> str | None:
        return self.headers.get("x-tollgate-simulator-request-id")

    @property
    def declared_bytes(self) -> int:
        """The length that the caller announced, 0 when it did not."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isdecimal() else 0

    def credential(self) -> str:
        """The key, from `x-api-key` or a bearer; empty when there is none."""
        if key := self.headers.get("x-api-key", "").strip():
            return key
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def betas(self) -> frozenset[str]:
        return frozenset(_listed(self.headers.get("anthropic-beta", "")))


def read_head(scope: Mapping[str, Any]) -> Head:
    """From an ASGI scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers)


def check_version(head: Head) -> None:
    if "anthropic-version" not in head.headers:
        invalid("anthropic-version: header is required")
    if head.version not in VERSIONS:
        invalid(f'anthropic-version: "{head.version}" is not a valid version')


def check_credential(head: Head) -> str:
    """A short digest that tells credentials apart: the cache is kept per credential. Raises Refusal (401)."""
    key = head.credential()
    if not key:
        raise Refusal(401, "x-api-key header is required")
    if key.startswith(REFUSED_KEYS):
        raise Refusal(401, "invalid x-api-key" if "x-api-key" in head.headers else "Invalid bearer token")
    return blake2b(key.encode(), digest_size=6).hexdigest()


def check_betas(head: Head) -> frozenset[str]:
    """The betas asked for. Raises Refusal (400) naming those that nobody knows."""
    betas = head.betas()
    if unknown := sorted(betas - BETAS):
        names = ", ".join(f"`{name}`" for name in unknown)
        invalid(
            f"Unexpected value(s) {names} for the `anthropic-beta` header. Please consult our documentation at "
            "platform.claude.com/docs or try again without the header."
        )
    return betas


def _listed(value: str) -> Iterable[str]:
    return filter(None, (name.strip() for name in value.split(",")))
