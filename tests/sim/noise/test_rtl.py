"""The plan on the RTL: what the model says under noise, the core does."""

import pytest

from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.replay import choose, replay

from . import subjects

SETTINGS = NoiseConfig(levels={"input_jitter": [0.5, 4], "event_loss": [0.4],
                               "weight_flips": [0.005, 0.1]}, instances=3)
SUBJECT = subjects.random_subject(14, samples=8, inputs=8, neurons=12, outputs=4, banks=2,
                                  readout="first-spike", synapse="exponential", adaptive=True)
PLAN = draw_plan(SUBJECT, SETTINGS, 3)


@pytest.mark.parametrize(("simulator", "count"), [(CxxrtlSimulator, 72), (CocotbSimulator, 12)])
def test_the_rtl_agrees_under_every_kind_of_noise(tmp_path, simulator, count):
    rtl = simulator(SUBJECT.parameters, tmp_path)
    picks = choose(PLAN, SUBJECT, count)
    for stall in (0.0, 0.5):
        report = replay(PLAN, SUBJECT, rtl, picks, stall=stall, seed=1)
        assert report["difference"] is None
        assert report["rows"] == count
        assert report["records"] > 50 * count
