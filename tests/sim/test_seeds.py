import json
from pathlib import Path

import numpy as np
import pytest

from ranvier.sim import seeds
from ranvier.sim.cli import main
from ranvier.train.network import Network

from .experiments import TINY, write

SHORT = TINY.replace("epochs = 2", "epochs = 1")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Two seeds, one after the other: the folder."""
    folder = tmp_path_factory.mktemp("seeds")
    seeds.train_seeds(write(folder, SHORT), folder / "out", count=2)
    return folder / "out"


def test_seeds_are_trained_in_a_row_and_their_mean_is_told(straight, capsys):
    source = straight.parent / "tiny.toml"
    arguments = ["train", str(source), "--out", str(straight), "--seeds", "2"]
    assert main(arguments) == 0
    table, log = capsys.readouterr()
    assert log.count("passed over") == 4
    found = json.loads((straight / "seeds.json").read_text())
    assert [row["seed"] for row in found["seeds"]] == [3, 4]
    for name in ("float", "fixed"):
        values = [row[name] for row in found["seeds"]]
        assert found[name]["mean"] == np.mean(values)
        assert found[name]["sd"] == np.std(values, ddof=1)
        assert f"{np.mean(values):.2%}" in table
    for row in found["seeds"]:
        folder = straight / f"seed-{row['seed']}"
        assert json.loads((folder / "run.json").read_text())["seed"] == row["seed"]
        quantised = json.loads((folder / "quantise.json").read_text())
        assert quantised["accuracy"]["float"] == row["float"]


def assert_same(one, other):
    assert (one / "seeds.json").read_bytes() == (other / "seeds.json").read_bytes()
    for seed in (3, 4):
        networks = [Network.load(path / f"seed-{seed}" / "network.safetensors")
                    for path in (one, other)]
        for name, array in networks[0].arrays().items():
            np.testing.assert_array_equal(array, networks[1].arrays()[name])


def test_processes_give_the_same_bits(straight, tmp_path, capsys):
    source = straight.parent / "tiny.toml"
    arguments = ["train", str(source), "--out", str(tmp_path), "--seeds", "2", "--workers", "2"]
    assert main(arguments) == 0
    assert "seed 3: float" in capsys.readouterr().err
    assert_same(tmp_path, straight)


def test_a_dask_cluster_gives_the_same_bits(straight, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0",
        protocol="tcp", host="127.0.0.1",
    ) as cluster:  # fmt: skip
        seeds.train_seeds(straight.parent / "tiny.toml", tmp_path, count=2,
                          dask=cluster.scheduler_address)
    assert_same(tmp_path, straight)


def test_seeds_that_are_done_are_passed_over_after_an_interruption(
        straight, tmp_path, monkeypatch):
    plain = seeds._train

    def interrupted(source, path, seed):
        if seed == 4:
            raise KeyboardInterrupt
        return plain(source, path, seed)

    with monkeypatch.context() as patch:
        patch.setattr(seeds, "_train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seeds.train_seeds(straight.parent / "tiny.toml", tmp_path, count=2)
    done = (tmp_path / "seed-3" / "network.safetensors").stat().st_mtime_ns
    assert not (tmp_path / "seeds.json").exists()
    seeds.train_seeds(straight.parent / "tiny.toml", tmp_path, count=2)
    assert (tmp_path / "seed-3" / "network.safetensors").stat().st_mtime_ns == done
    assert_same(tmp_path, straight)


@pytest.mark.parametrize(("arguments", "said"), [
    (("--workers", "2"), "--workers and --dask must come with --seeds, not alone"),
    (("--dask", "tcp://x:1"), "--workers and --dask must come with --seeds, not alone"),
    (("--seeds", "2", "--workers", "0"), "Number of workers must be at least 1, not 0"),
])
def test_options_that_make_no_sense_are_refused(tmp_path, capsys, arguments, said):
    source = write(tmp_path)
    assert main(["train", str(source), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert capsys.readouterr().err == f"ranvier: {said}\n"
    assert not Path(tmp_path / "out").exists()
