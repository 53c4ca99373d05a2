"""Records of two tenants, acme and the outsider globex, for tests of the journal and the ledger."""

from typing import Any

from metering.pricing import Charge
from metering.records import COMPLETED, Begin, End, Progress, Refused

ACME = "0b6a7c1e-5a64-4f0c-8a44-0d6a7a1c2b3d"
GLOBEX = "9d1f0a52-7a0e-4a2b-9f6e-3f1f3c2b1a00"
NOON_US = 1_795_003_200_000_000  # 2026-11-18 12:00 UTC

USAGE = {"input_tokens": 12, "output_tokens": 87, "cache_read_input_tokens": 0, "service_tier": "standard"}


def charge(**changes: Any) -> Charge:
    """12 tokens in and 87 out at 3 and 15 USD a million."""
    fields = {
        "uncached_input_tokens": 12,
        "output_tokens": 87,
        "uncached_input_picos": 36_000_000,
        "output_picos": 1_305_000_000,
        "cost_picos": 1_341_000_000,
        "service_tier": "standard",
        "context_window": "0-200k",
    }
    return Charge(**fields | changes)


def begin(request_id: str = "req_1", **changes: Any) -> Begin:
    fields: dict[str, Any] = {
        "started_at_us": NOON_US,
        "organization_id": ACME,
        "workspace_id": "wrkspc_01acme",
        "api_key_id": "apikey_01acme",
        "endpoint": "messages",
        "requested_model": "claude-sonnet-4-5",
        "model": "claude-sonnet-4-5-20250929",
        "upstream": "simulator",
        "is_stream": True,
        "is_simulated": False,
        "input_estimate": 10,
        "user_agent": "Anthropic/Python",
    }
    return Begin(request_id=request_id, **fields | changes)


def end(request_id: str = "req_1", **changes: Any) -> End:
    fields: dict[str, Any] = {
        "attempt": 1,
        "is_final": True,
        "outcome": COMPLETED,
        "status": 200,
        "stop_reason": "end_turn",
        "model": "claude-sonnet-4-5-20250929",
        "message_id": "msg_01",
        "upstream_request_id": "req_up",
        "usage": USAGE,
        "charge": charge(),
        "first_byte_us": 2_000,
        "duration_us": 50_000,
    }
    return End(request_id=request_id, **fields | changes)


def progress(request_id: str = "req_1", **changes: Any) -> Progress:
    fields: dict[str, Any] = {"attempt": 1, "usage": {"input_tokens": 12, "output_tokens": 1}, "output_estimate": 40}
    return Progress(request_id=request_id, **fields | changes)


def refused(request_id: str = "req_1", **changes: Any) -> Refused:
    fields: dict[str, Any] = {
        "at_us": NOON_US,
        "organization_id": ACME,
        "workspace_id": "wrkspc_01acme",
        "api_key_id": "apikey_01acme",
        "endpoint": "messages",
        "model": "claude-sonnet-4-5-20250929",
        "reason": "rate_limit",
        "status": 429,
        "error_type": "rate_limit_error",
    }
    return Refused(request_id=request_id, **fields | changes)
