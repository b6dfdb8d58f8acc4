import pyarrow.parquet
import pytest

from ranvier.sim import tables
from ranvier.sim.tables import table_files, table_text, write_table

HEADER = ("place", "tick", "share", "layer", "own", "p")
ROWS = [(0, None, 0.25, "hidden, 1", True, None), (1, -1, 2.0, None, False, None)]
TEXT = table_text(HEADER, ROWS)


@pytest.fixture
def bare(monkeypatch):
    """Without pyarrow."""
    monkeypatch.setattr(tables, "find_spec", {"pyarrow": None}.get)


def read(folder):
    return pyarrow.parquet.read_table(folder / "table.parquet")


def test_a_table_is_csv_with_empty_cells_for_none(tmp_path):
    write_table(tmp_path / "table.csv", TEXT)
    assert (tmp_path / "table.csv").read_bytes() == (
        b'place,tick,share,layer,own,p\n0,,0.25,"hidden, 1",True,\n1,-1,2.0,,False,\n')


def test_its_twin_has_the_same_cells_and_types(tmp_path):
    write_table(tmp_path / "table.csv", TEXT)
    assert {path.name for path in tmp_path.iterdir()} == {*table_files("table.csv")} == {
        "table.csv", "table.parquet"}
    found = read(tmp_path)
    assert {field.name: str(field.type) for field in found.schema} == {
        "place": "int64", "tick": "int64", "share": "double", "layer": "string", "own": "bool",
        "p": "null"}
    assert [tuple(row.values()) for row in found.to_pylist()] == ROWS


def test_a_column_that_begins_with_a_million_empty_cells_is_one_of_numbers(tmp_path):
    rows = [*((None, "inv") for _ in range(1_000_000)), (7, None), (8, "nan")]
    write_table(tmp_path / "table.csv", table_text(("tick", "mode"), rows))
    found = read(tmp_path)
    assert [str(field.type) for field in found.schema] == ["int64", "string"]
    assert found.slice(999_999).to_pylist() == [
        {"tick": None, "mode": "inv"}, {"tick": 7, "mode": None}, {"tick": 8, "mode": "nan"}]


def test_the_same_table_is_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        write_table(tmp_path / f"{name}.csv", TEXT)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_a_table_without_rows_has_a_twin(tmp_path):
    write_table(tmp_path / "table.csv", table_text(HEADER, []))
    assert (read(tmp_path).num_rows, tuple(read(tmp_path).column_names)) == (0, HEADER)


def test_without_pyarrow_there_is_csv_alone(tmp_path, bare):
    (tmp_path / "table.parquet").write_text("of an earlier table")
    write_table(tmp_path / "table.csv", TEXT)
    assert [path.name for path in tmp_path.iterdir()] == table_files("table.csv") == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == TEXT
