"""Files of others that we ship: unchanged, with their licences, and nothing beside them."""

import hashlib
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor"


def test_every_vendored_file_is_what_its_list_says() -> None:
    listed = dict(reversed(line.split(maxsplit=1)) for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name not in {"SHA256SUMS", "README.md"}
    }

    assert found == listed
    assert {"htmx-LICENSE.txt", "uPlot-LICENSE.txt"} <= found.keys()
