"""Tables as files."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..model.files import write_atomically

__all__ = ["table_text", "write_table"]


def table_text(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Return a table as CSV: the names of its columns, then its rows. None is an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def write_table(path: Path, text: str) -> None:
    """Write what `table_text` returns, whole or not at all."""
    write_atomically(path, text.encode())
