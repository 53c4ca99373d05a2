"""Rows for a terminal: columns as wide as their widest cell."""

from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> str:
    """The last `numbers` columns stand at the right of theirs."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    texts = len(headings) - numbers
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (headings, *rows)
    )
