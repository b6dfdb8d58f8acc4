import json

import numpy as np

from ranvier.sim.cli import main

from .experiments import TINY, write


def test_seeds_are_trained_in_a_row_and_their_mean_is_told(tmp_path, capsys):
    source = write(tmp_path, TINY.replace("epochs = 2", "epochs = 1"))
    arguments = ["train", str(source), "--out", str(tmp_path / "out"), "--seeds", "2"]
    assert main([*arguments, "-q"]) == 0
    table = capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "seeds.json").read_text())
    assert [row["seed"] for row in found["seeds"]] == [3, 4]
    for name in ("float", "fixed"):
        values = [row[name] for row in found["seeds"]]
        assert found[name]["mean"] == np.mean(values)
        assert found[name]["sd"] == np.std(values, ddof=1)
        assert f"{np.mean(values):.2%}" in table
    for row in found["seeds"]:
        folder = tmp_path / "out" / f"seed-{row['seed']}"
        assert json.loads((folder / "run.json").read_text())["seed"] == row["seed"]
        quantised = json.loads((folder / "quantise.json").read_text())
        assert quantised["accuracy"]["float"] == row["float"]

    assert main(arguments) == 0
    assert capsys.readouterr().err.count("passed over") == 4
