"""The page of settings and the code name the same environment variables."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def read_by_the_code() -> set[str]:
    places = [
        ROOT / "tollgate",
        *(path for app in ("config", "relay", "metering", "apikeys") for path in (ROOT / app).rglob("*.py")),
    ]
    reads = r"environ(?:\.get\(|\[)\"(TOLLGATE_\w+)\"|getenv\(\"(TOLLGATE_\w+)\"|\$\{(TOLLGATE_\w+)"
    return {name for path in places for found in re.findall(reads, path.read_text()) for name in found if name}


def test_every_setting_is_on_the_page() -> None:
    page = (ROOT / "docs/settings.md").read_text()

    assert sorted(name for name in read_by_the_code() if f"`{name}`" not in page) == []


def test_the_page_names_no_setting_that_nobody_reads() -> None:
    named = set(re.findall(r"`(TOLLGATE_\w+)`", (ROOT / "docs/settings.md").read_text()))

    assert sorted(named - read_by_the_code() - {"TOLLGATE_TEST_REQUIRE"}) == []
