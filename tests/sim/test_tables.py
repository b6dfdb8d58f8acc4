from ranvier.sim.tables import table_text, write_table

TEXT = table_text(("place", "tick", "share", "layer"),
                  [(0, None, 0.25, "hidden, 1"), (1, -1, 2.0, None)])


def test_a_table_is_csv_with_empty_cells_for_none(tmp_path):
    write_table(tmp_path / "table.csv", TEXT)
    assert (tmp_path / "table.csv").read_bytes() == (
        b'place,tick,share,layer\n0,,0.25,"hidden, 1"\n1,-1,2.0,\n')
