"""What is pinned: every package by hash, from nowhere in particular."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parent.parent.parent / "requirements"


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_package_is_pinned_by_hash_and_no_address_is_written_down(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()

    blocks = re.split(r"\n(?=\w)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    assert [block.split()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_development_installs_the_versions_that_production_does() -> None:
    base, dev = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (REQUIREMENTS / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("base", "dev")
    )

    assert {name: version for name, version in base.items() if dev.get(name) != version} == {}
