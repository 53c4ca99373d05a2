"""Which requests a load is made of: everyday, odd and broken ones, in fixed shares. Pure: a number in, one out."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MODELS = (
    "claude-sonnet-4-6",
    "claude-opus-4-8",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-4-5",
    "claude-haiku-5-5",
    "claude-3-opus-20240229",
)
TEXT = "The quick brown fox jumps over the lazy dog. " * 60
"""Long enough to be cached by any model once it is repeated a little."""

TOOL = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SPOILED = (
    "cut-after-events=6",
    "reset-after-events=3",
    "end-after-events=7",
    "error-after-events=5:overloaded_error",
    "reset-before-headers",
    "reset-after-headers",
    "malformed-after-events=4",
    "usage=missing",
    "cut-after-bytes=900",
)
REFUSED_THERE = ("status=529", "status=500", "status=400", "status=429; retry-after=1", "status=404")
WHOLE = ("comment-after-events=2", "unknown-after-events=3", "crlf", "chunk=7", "stall-after-events=3:0.3", "chunk=1")


_CHANGES: dict[str, dict[str, Any]] = {
    "json": {"stream": False},
    "stream": {"stream": True},
    "paced": {"stream": True},
    "odd": {"stream": True},
    "leaves late": {"stream": True},
    "tool": {"tools": [TOOL], "messages": [{"role": "user", "content": "What is the weather in Paris?"}]},
    "thinking": {
        "model": "claude-opus-5-5",
        "thinking": {"type": "adaptive", "display": "summarized"},
        "max_tokens": 2_000,
    },
    "fast": {"model": "claude-opus-5-5", "speed": "fast"},
    "search": {
        "model": "claude-opus-4-8",
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}],
        "messages": [{"role": "user", "content": "Search the web for today's news"}],
    },
}


def _pace(chance: random.Random) -> str:
    return f"output-tokens={chance.randint(20, 200)}; events-per-second={chance.randint(20, 120)}"


_SCRIPTS: dict[str, Callable[[random.Random], str]] = {
    "stream": lambda chance: f"tokens-per-event={chance.randint(1, 9)}",
    "paced": _pace,
    "odd": lambda chance: chance.choice(WHOLE),
    "spoiled": lambda chance: chance.choice(SPOILED),
    "refused there": lambda chance: chance.choice(REFUSED_THERE),
    "leaves early": lambda chance: "stall-before-headers=0.3; " + _pace(chance),
    "leaves late": _pace,
}


@dataclass(frozen=True)
class Ask:
    """One request. `leaves` says when the client goes away: never, `early` (no answer yet) or `late` (in it)."""

    number: int
    kind: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    leaves: str = ""
    has_good_key: bool = True


SHARES = {
    "json": 20,
    "stream": 20,
    "paced": 10,
    "cached": 8,
    "tool": 6,
    "thinking": 4,
    "fast": 2,
    "search": 3,
    "odd": 6,
    "spoiled": 8,
    "refused there": 4,
    "refused here": 4,
    "wrong key": 1,
    "leaves early": 4,
    "leaves late": 8,
}


def everyday(number: int, seed: int) -> Ask:
    """From all kinds in their shares."""
    chance = random.Random(f"{seed} {number}")
    kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
    return _ask(number, kind, chance)


def slow(number: int, seed: int, seconds: float) -> Ask:
    """Half of them streams that last about `seconds`, the others everyday ones."""
    chance = random.Random(f"{seed} slow {number}")
    if chance.random() < 0.5:
        return everyday(number, seed)
    events = 120
    content = _body(chance, "claude-sonnet-4-6", stream=True, max_tokens=events * 4)
    length = chance.uniform(0.5, 1.2) * seconds
    return _made(number, "slow", content, script=f"output-tokens={events * 4}; events-per-second={events / length:.1f}")


def _ask(number: int, kind: str, chance: random.Random) -> Ask:
    content = _body(chance, chance.choice(MODELS), stream=chance.random() < 0.6) | _changes(kind, chance)
    script = _SCRIPTS[kind](chance) if kind in _SCRIPTS else ""
    headers = {"anthropic_beta": "fast-mode-2026-02-01"} if kind == "fast" else {}
    leaves = kind.removeprefix("leaves ") if kind.startswith("leaves") else ""
    return _made(number, kind, content, script=script, leaves=leaves, has_good_key=kind != "wrong key", **headers)


def _changes(kind: str, chance: random.Random) -> dict[str, Any]:
    """What makes a body of this kind different from a plain one."""
    if kind == "cached":
        return {"system": _system(chance)}
    if kind == "refused here":
        return chance.choice([{"messages": []}, {"max_tokens": "many"}, {"model": None}])
    return _CHANGES.get(kind, {})


def _body(chance: random.Random, model: str, *, stream: bool, max_tokens: int = 0) -> dict[str, Any]:
    text = "Hello, number " + str(chance.randint(0, 10**9)) + " 你好" * chance.randint(0, 20)
    return {
        "model": model,
        "max_tokens": max_tokens or chance.choice([16, 60, 200, 1_000]),
        "messages": [{"role": "user", "content": text}],
        "stream": stream,
    }


def _system(chance: random.Random) -> list[dict[str, Any]]:
    """One of a few long prompts, so that some are written to the cache and others are read from it."""
    ttl = chance.choice(["5m", "1h"])
    text = f"{chance.randint(1, 6)} {ttl} " + TEXT * 6
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}}]


def _made(
    number: int,
    kind: str,
    content: dict[str, Any],
    *,
    script: str = "",
    leaves: str = "",
    has_good_key: bool = True,
    **headers: str,
) -> Ask:
    if script:
        headers["x_tollgate_simulator_fault"] = script
    headers["user_agent"] = f"load/{number}"
    return Ask(number, kind, json.dumps(content).encode(), headers, leaves, has_good_key)
