"""Trying an upstream as an operator does: is it there, and does it take our credential?"""

import httpx

from relay import credentials
from relay.models import Upstream
from relay.upstreams.base import ANY_VERSION, Outbound
from relay.upstreams.registry import KINDS

SECONDS = 30.0


class TrialFailed(Exception):
    """The upstream is not usable; the text says why."""


def list_models(upstream: Upstream) -> str:
    """Ask for its models, which costs nothing. Returns a sentence for a person; raises `TrialFailed`."""
    adapter = KINDS[upstream.kind].make(upstream.base_url, _credential(upstream))
    response = _sent(adapter.models(), adapter.auth)
    if response.status_code == 404:
        return "answers, but lists no models; try a message with --model NAME"
    return f"answers, and lists {len(response.json().get('data', []))} models"


def send_message(upstream: Upstream, model: str) -> str:
    """Ask for one token. Returns a sentence for a person; raises `TrialFailed`."""
    adapter = KINDS[upstream.kind].make(upstream.base_url, _credential(upstream))
    body = b'{"model": "%s", "max_tokens": 1, "messages": [{"role": "user", "content": "ping"}]}' % model.encode()
    headers = [ANY_VERSION, (b"content-type", b"application/json")]
    outbound = Outbound(headers, body, request_id="req_trial", model=model, is_stream=False)
    response = _sent(adapter.messages(outbound), adapter.auth)
    if response.status_code == 404:
        raise TrialFailed(f"it does not know {model}: {response.text[:300]}")
    return f"answers as {response.json().get('model', 'an unnamed model')}"


def _credential(upstream: Upstream) -> str:
    try:
        return credentials.decrypt(bytes(upstream.credential)) if upstream.credential else ""
    except credentials.UnreadableCredential:
        raise TrialFailed("its credential was stored under another secret key; add it again") from None


def _sent(request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            response = client.send(request, auth=auth)
    except httpx.HTTPError as error:
        raise TrialFailed(f"no answer from {request.url.copy_with(path='/')}: {error}") from error
    if response.status_code in {401, 403}:
        raise TrialFailed(f"it refuses the credential: {response.status_code} {response.text[:300]}")
    if response.status_code != 404 and not response.is_success:
        raise TrialFailed(f"it answers {response.status_code}: {response.text[:300]}")
    return response
