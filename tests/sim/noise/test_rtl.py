"""The plan on the RTL: what the model says under noise, the core does."""

from dataclasses import asdict

import pytest

from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.replay import choose, replay

from ...strategies import core_configs
from . import subjects

SETTINGS = NoiseConfig(kinds="all", levels={"weight_map": [1, 3]}, instances=2)


@pytest.mark.parametrize(("simulator", "config", "count"), [
    (CxxrtlSimulator, core_configs()[8], 4 * len(KINDS)),
    (CxxrtlSimulator, core_configs()[6], 2 * len(KINDS)),
    (CocotbSimulator, core_configs()[6], len(KINDS)),
])
def test_the_rtl_agrees_under_every_kind_of_noise(builds, simulator, config, count):
    subject = subjects.random_subject(14, samples=8, **asdict(config))
    plan = draw_plan(subject, SETTINGS, 3)
    report = replay(plan, subject, simulator(subject.parameters, builds),
                    choose(plan, subject, count), stall=0.3, seed=1)
    assert report["difference"] is None
    assert report["silent"] == 0
    assert report["rows"] == count
    assert report["records"] > 30 * count
    assert {pick["kind"] for pick in report["picks"]} == set(KINDS)
