"""Tables as files: CSV, and where pyarrow is installed Parquet as well."""

import csv
import io
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from ..model.files import write_atomically

__all__ = ["table_files", "table_text", "write_table"]


def table_files(name: str) -> list[str]:
    """Return the names of the files that `write_table` makes of a name, which ends in ``.csv``."""
    return [name] if find_spec("pyarrow") is None else [name, _twin(name)]


def table_text(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Return a table as CSV: the names of its columns, then its rows. None is an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def write_table(path: Path, text: str) -> None:
    """Write what `table_text` returns, whole or not at all, and its twin as Parquet.

    There, columns of whole numbers are int64, of other numbers float64; empty cells are null.
    Without pyarrow there's no twin, not even one of an earlier table.
    """
    content, twin = text.encode(), _twin(str(path))
    write_atomically(path, content)
    if twin in table_files(str(path)):
        write_atomically(twin, _parquet(content))
    else:
        Path(twin).unlink(missing_ok=True)


def _twin(name):
    return f"{name.removesuffix('.csv')}.parquet"


def _parquet(content):
    """Return a table in CSV as the content of a Parquet file."""
    from pyarrow import BufferOutputStream, BufferReader
    from pyarrow.csv import ConvertOptions, read_csv
    from pyarrow.parquet import write_table

    options = ConvertOptions(null_values=[""], strings_can_be_null=True)
    table, sink = read_csv(BufferReader(content), convert_options=options), BufferOutputStream()
    write_table(table, sink)
    return sink.getvalue().to_pybytes()
