"""The shape we promise to newcomers: small files with names that say something, functions that fit on a screen."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_FILE = 300
LONGEST_TEST_FILE = 400
LONGEST_FUNCTION = 50
TABLES = {"metering/catalogue.py", "metering/price_list.py"}
"""Data in the form of Python: as long as the world is."""
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}


def sources() -> list[Path]:
    """What git tracks or would track, so that nobody's virtual environment is judged."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs a git checkout")
    found = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in found if path.exists() and "migrations" not in path.parts]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_file_is_a_drawer() -> None:
    assert [str(path.relative_to(ROOT)) for path in sources() if path.stem in DRAWERS] == []


def test_every_file_fits_on_a_few_screens() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in sources()}
    limits = {path: LONGEST_TEST_FILE if path.parts[0] == "tests" else LONGEST_FILE for path in lengths}

    too_long = {str(path): length for path, length in lengths.items() if length > limits[path]}
    assert {name: length for name, length in too_long.items() if name not in TABLES} == {}


def test_no_function_must_be_scrolled_to_be_read() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in sources()
        for function in functions(ast.parse(path.read_text()))
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]

    assert long == []
