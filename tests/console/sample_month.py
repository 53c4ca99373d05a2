"""A month of believable traffic, to look at pages: `python -m tests.console.sample_month EMAIL` fills the database
of the environment with it and prints the token of a sign-in link.
"""

import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from apikeys import actions  # noqa: E402
from apikeys.models import ApiKey  # noqa: E402
from tests.console.traffic import Traffic  # noqa: E402

MODELS = [
    ("claude-sonnet-4-5-20250929", 30),
    ("claude-opus-5", 14),
    ("claude-haiku-4-5-20251001", 34),
    ("claude-sonnet-5", 18),
    ("claude-opus-4-1-20250805", 5),
    ("claude-sonnet-4-20250514", 4),
    ("claude-3-5-haiku-20241022", 2),
    ("claude-3-opus-20240229", 1),
]


def a_month(traffic: Traffic, keys: list[ApiKey], now: datetime, *, per_day: int = 60, seed: int = 7) -> None:
    """Believable traffic: quiet nights and weekends, a few models that carry most, some caching, some errors."""
    dice = random.Random(seed)
    names, weights = zip(*MODELS, strict=True)
    for day in range(30, -1, -1):
        midnight = (now - timedelta(days=day)).replace(hour=0, minute=0, second=0, microsecond=0)
        share = (0.35 if midnight.weekday() >= 5 else 1.0) * dice.uniform(0.75, 1.25) * (1.3 - day / 45)
        for _ in range(int(per_day * share)):
            at = midnight + timedelta(seconds=min(86_399, max(0, dice.gauss(13.5, 3.6)) * 3600), microseconds=day)
            if at >= now:
                continue
            _one(traffic, dice, dice.choices(keys, [2**-index for index in range(len(keys))])[0], at, names, weights)


def _one(traffic: Traffic, dice: random.Random, key: ApiKey, at: datetime, names: Any, weights: Any) -> None:
    model = dice.choices(names, weights)[0]
    roll = dice.random()
    if roll < 0.02:
        traffic.refusal(key, at, count=dice.choice([1, 1, 1, 3]), model=model)
        return
    usage = {
        "input_tokens": int(dice.lognormvariate(7.5, 1.0)),
        "output_tokens": int(dice.lognormvariate(6.3, 0.8)),
        "cache_read_input_tokens": int(dice.lognormvariate(9.0, 1.0)) if dice.random() < 0.6 else 0,
        "cache_creation_input_tokens": 0,
        "service_tier": "standard",
    }
    if dice.random() < 0.2:
        written = int(dice.lognormvariate(8.5, 0.7))
        usage["cache_creation_input_tokens"] = written
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0}
    times: dict[str, Any] = {
        "first_byte_us": int(dice.lognormvariate(13, 0.5)),
        "duration_us": int(dice.lognormvariate(15, 0.7)),
    }
    if roll < 0.035:
        failed = {"outcome": "upstream_error", "status": 529, "error_type": "overloaded_error", "stop_reason": ""}
        traffic.request(key, at, None, model=model, upstream="anthropic", **failed, **times)
    elif roll < 0.05:
        traffic.request(
            key, at, usage, model=model, outcome="client_closed", is_estimated=True, is_stream=True, **times
        )
    else:
        streams = dice.random() < 0.7
        traffic.request(key, at, usage, model=model, upstream="anthropic", is_stream=streams, **times)


def main() -> None:
    """An organization with keys and a month of requests, for the person with this mail address."""
    me = actions.Actor.command_line()
    person = actions.ensure_user(sys.argv[1], name="Ada Lovelace", actor=me)
    person.is_staff = person.is_superuser = True
    person.save()
    keys = []
    for name in ("Acme Robotics", "Globex"):
        organization = actions.create_organization(name, actor=me)
        actions.add_member(organization, person, "admin", actor=me)
        if name == "Globex":
            continue
        research = actions.create_workspace(organization, "Research", actor=me)
        support = actions.create_workspace(organization, "Support bots", actor=me)
        for key_name, workspace in (
            ("support-bot-production", support),
            ("nightly-evals", research),
            ("ci-pipeline", None),
            ("ada-laptop", research),
            ("data-labelling", support),
        ):
            key, _ = actions.create_key(
                organization=organization, workspace=workspace, name=key_name, created_by=person, actor=me
            )
            keys.append(key)
    traffic = Traffic()
    now = datetime.now(UTC)
    a_month(traffic, keys, now, per_day=400)
    traffic.ship()
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(last_used_at=now)
    actions.set_key_status(keys[-1], "inactive", actor=me)
    print(actions.create_signin_link(person, actor=me))


if __name__ == "__main__":
    main()
