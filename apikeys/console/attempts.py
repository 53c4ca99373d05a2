"""How often somebody may try to sign in: fixed windows counted in one table for all workers."""

from django.http import HttpRequest
from django_ratelimit.core import get_usage

PER_ADDRESS = "30/5m"
PER_PERSON = "5/5m"  # one mail address from one network address: a stranger elsewhere cannot lock the person out
PER_MAIL_ADDRESS = "100/h"


def wait_seconds(request: HttpRequest, group: str, *, email: str = "") -> int:
    """Count one attempt. How many seconds the caller has to wait before another one: 0 when this one may go on."""
    wait = _count(request, f"{group}-address", "", PER_ADDRESS)
    if email:
        person = email.strip().lower()
        wait = max(
            wait,
            _count(request, f"{group}-person", person, PER_PERSON),
            _count(request, f"{group}-mail", person, PER_MAIL_ADDRESS, is_anywhere=True),
        )
    return wait


def _count(request: HttpRequest, group: str, value: str, rate: str, *, is_anywhere: bool = False) -> int:
    def key(_group: str, request: HttpRequest) -> str:
        return value if is_anywhere else f"{request.META['REMOTE_ADDR']} {value}"

    usage = get_usage(request, group=group, key=key, rate=rate, increment=True)
    if usage is None or not usage["should_limit"]:
        return 0
    return max(1, int(usage["time_left"]))
