"""Every example is an experiment that can be read."""

from pathlib import Path

import pytest

from ranvier.sim.experiment import load_experiment

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_sound(path):
    experiment = load_experiment(path)
    data = experiment.resolved(path.parent).data
    if data.source == "npz":
        place = Path(data.path).resolve()
        own = (ROOT / "data" / "own").resolve()
        assert place.is_file() or own in place.parents
