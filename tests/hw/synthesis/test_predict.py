# amaranth: UnusedElaboratable=no
"""What a core takes is predicted from its config, within the error that's told."""
from dataclasses import replace

import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.synthesis.cells import count_cells
from ranvier.hw.synthesis.devices import DEVICES, FAMILIES
from ranvier.hw.synthesis.predict import (
    FITTED,
    FITTED_ON,
    LOGIC,
    error_of,
    features,
    fitted_device,
    predict,
    unit_of,
)
from ranvier.model.config import CoreConfig

CONFIG = CoreConfig(
    inputs=12, neurons=24, outputs=3, readout="leaky", tick=1.0, ticks=120, tau_m=20.0, tau_s=5.0,
    tau_a=100.0, delay_max=30, fan_in=20, synapses=300, weight_bits=6, trace_bits=20, guard_bits=6,
)  # fmt: skip
CURSOR = replace(CONFIG, buffer="cursor", cursors=64, delay_max=500)


def test_a_small_core_is_predicted_within_the_stated_error(tmp_path):
    real = count_cells(NeuronCore(CONFIG), "ecp5-25k", tmp_path)
    told = predict(CONFIG, "ecp5-25k")
    for kind in ("LUT4", "flip-flop"):
        assert abs(told[kind] / real[kind] - 1) <= error_of("ecp5-25k")[kind], kind
    for kind in ("block RAM", "LUT RAM", "multiplier"):
        assert told[kind] == real[kind], kind


@pytest.mark.parametrize("name", FITTED_ON)
def test_errors_are_small_enough_to_be_of_use(name):
    errors = error_of(name)
    assert set(errors) == {"LUT4", "flip-flop", LOGIC}
    assert 0 < max(errors.values()) < 0.35


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("config", [CONFIG, CURSOR])
def test_more_of_anything_takes_more(name, config):
    told = predict(config, name)
    assert told.keys() == {*FAMILIES[DEVICES[name].family].cells, LOGIC}
    for more in ({"banks": 2}, {"trace_bits": 24, "guard_bits": 10}, {"weight_bits": 12}):
        larger = predict(replace(config, **more), name)
        assert all(larger[kind] >= told[kind] for kind in (*FITTED, LOGIC, "block RAM")), more
        assert larger["LUT4"] > told["LUT4"], more
    if "multiplier" in told and DEVICES[name].family != "gowin" and told["multiplier"]:
        assert predict(replace(config, banks=2), name)["multiplier"] == 2 * told["multiplier"]


def test_devices_are_like_those_that_were_synthesised_for():
    assert {name: fitted_device(name) for name in DEVICES} == {
        "ecp5-25k": "ecp5-25k", "ecp5-45k": "ecp5-25k", "ecp5-85k": "ecp5-25k", "up5k": "up5k",
        "hx8k": "hx8k", "gw1nr-9": "gw1nr-9", "gw2ar-18": "gw1nr-9"}
    with pytest.raises(ValueError, match="'abacus'"):
        predict(CONFIG, "abacus")


@pytest.mark.parametrize("config", [CONFIG, CURSOR])
def test_every_module_belongs_to_a_unit(config):
    units = features(config, "ecp5")
    for path, unit in {
        "core": "core", "core.broadcast": "core", "core.registers.counters": "registers",
        "core.readout.values": "readout", "core.scheduler": "scheduler", "core.bank_0": "bank",
        "core.bank_1.trace": "bank", "core.bank_0.neurons.memory.states": "neurons",
        "core.bank_0.outputs": "outputs", "core.bank_0.ring.buffer": "ring",
        "core.bank_0.ring.marks.bits": "marks",
        "core.bank_0.fetch": f"fetch {config.buffer}"}.items():
        assert unit_of(path, config) == unit
        assert unit in units
