"""A simulator in a process of its own, as everybody else meets it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {"x-api-key": "k-acme", "anthropic-version": "2023-06-01"}

Json = dict[str, Any]


class RunningSimulator:
    """`address`, a client that goes there, and the ledger."""

    def __init__(self, ledger: Path, *arguments: str) -> None:
        self.ledger = ledger
        self._process = subprocess.Popen(
            [sys.executable, "-m", "relay.upstreams.simulator", "--port", "0", "--ledger", str(ledger), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().rpartition(" ")[2].strip()
        self.client = httpx.Client(base_url=self.address, headers=HEADERS, timeout=20)

    @property
    def pid(self) -> int:
        return self._process.pid

    def post(self, body: Json | bytes, **headers: str | None) -> httpx.Response:
        """`POST /v1/messages`. Header names with underscores; None leaves a header out."""
        return self._send("/v1/messages", body, headers)

    def count(self, body: Json) -> httpx.Response:
        return self._send("/v1/messages/count_tokens", body, {})

    def ask(self, script: str, body: Json) -> httpx.Response:
        """The same with a script for the simulator."""
        return self.post(body, x_tollgate_simulator_fault=script)

    def usage(self, body: Json, **headers: str | None) -> Json:
        answer = self.post(body, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]

    def entries(self, since: int = 0) -> list[Json]:
        """The ledger as the endpoint gives it, from an offset on."""
        entries: list[Json] = []
        while page := self.client.get("/simulator/ledger", params={"since": since}).json():
            if not page["entries"]:
                break
            entries += page["entries"]
            since = page["next"]
        return entries

    def end_of(self, request_id: str) -> Json:
        """The ledger's last word on a request."""
        return next(e for e in self.entries() if e["event"] == "finished" and e["request_id"] == request_id)

    def last_end(self) -> Json:
        return [entry for entry in self.entries() if entry["event"] == "finished"][-1]

    def stop(self) -> int:
        self.client.close()
        self._process.terminate()
        code = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _send(self, path: str, body: Json | bytes, changed: dict[str, str | None]) -> httpx.Response:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        request = self.client.build_request("POST", path, **content)  # type: ignore[arg-type]
        for name, value in changed.items():
            request.headers.pop(name.replace("_", "-"), None)
            if value is not None:
                request.headers[name.replace("_", "-")] = value
        return self.client.send(request)


def hello(text: Any = "Hello, Claude", model: str = "claude-sonnet-4-5", **more: Any) -> Json:
    """The smallest body, and whatever else it should hold."""
    return {"model": model, "max_tokens": 1024, "messages": [{"role": "user", "content": text}]} | more
