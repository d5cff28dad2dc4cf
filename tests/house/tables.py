"""Reads the product's tables, so that tests compare the code with them and not with a second copy of itself."""

from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def rows_of(name: str) -> Iterator[list[str]]:
    """The rows of the one table in a file, without its heading."""
    lines = [line for line in (HERE / name).read_text().splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]
