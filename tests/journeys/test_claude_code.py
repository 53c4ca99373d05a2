"""Claude Code's own package, told only where the API is and which key to use."""

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import Gateway, wait_until
from tests.journeys.installing import Installer, patient
from tests.journeys.recording_proxy import RecordingProxy
from tests.journeys.rows import Row, query

pytestmark = patient

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}


def test_one_prompt_is_answered_and_nothing_leaves_this_machine(
    shared_gateway: Gateway, installer: Installer, tmp_path: Path
) -> None:
    program = _program(installer.node("claude_code").folder)

    with RecordingProxy() as proxy:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "ANTHROPIC_BASE_URL": shared_gateway.address,
            "ANTHROPIC_API_KEY": shared_gateway.api_key,
            "HTTPS_PROXY": proxy.address,
            "HTTP_PROXY": proxy.address,
            "NO_PROXY": "127.0.0.1",
            **QUIET,
        }
        done = subprocess.run(
            [str(program), "-p", "Say hello", "--output-format", "json"],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )

    assert done.returncode == 0, done.stderr + done.stdout
    answer = json.loads(done.stdout)
    assert answer["subtype"] == "success"
    assert "Say hello" in answer["result"]
    assert proxy.asked == []
    _check_ledger(shared_gateway, answer)


def _check_ledger(gateway: Gateway, answer: dict[str, Any]) -> None:
    """What Claude Code counted for itself is what we hold against the key."""
    statement = "SELECT * FROM metering_usagerecord WHERE user_agent LIKE 'claude-cli/%%' AND outcome = 'completed'"
    rows: list[Row] = []
    wait_until(lambda: rows.extend(query(gateway, statement)) or rows, what="its row")
    (row,) = rows
    used = answer["usage"]
    assert row["uncached_input_tokens"] == used["input_tokens"]
    assert row["cache_creation_5m_input_tokens"] == used["cache_creation"]["ephemeral_5m_input_tokens"]
    assert row["cache_read_input_tokens"] == used["cache_read_input_tokens"]
    assert row["output_tokens"] == used["output_tokens"]


def _program(folder: Path) -> Path:
    """The package keeps one binary for each system; its install script, which we do not run, would link ours."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    found = folder / "node_modules" / "@anthropic-ai" / f"claude-code-{platform.system().lower()}-{machine}" / "claude"
    if not found.exists():
        pytest.skip(f"Claude Code has no program for {platform.system()} on {platform.machine()}")
    return found
