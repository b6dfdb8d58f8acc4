import dataclasses
import json
import re

import numpy as np
import pytest

from ranvier.model.config import LATER, CoreConfig
from ranvier.model.sizes import WHEEL_TICKS
from ranvier.model.tables import make_tables

GOOD = {"inputs": 26, "neurons": 138, "outputs": 10, "readout": "leaky", "tick": 0.5, "ticks": 3000,
        "tau_m": 20.0, "tau_s": 5.0, "tau_a": 100.0, "delay_max": 800, "fan_in": 200,
        "synapses": 6000, "trace_bits": 20, "guard_bits": 7, "banks": 4}


def test_widths_follow():
    config = CoreConfig(**GOOD)
    assert (config.tick_us, config.sources, config.first_output, config.spiking) == (
        500, 164, 128, 128)
    assert (config.tick_bits, config.channel_bits, config.neuron_bits, config.source_bits) == (
        12, 5, 8, 8)
    assert (config.bank_neurons, config.local_bits, config.delay_bits, config.slots) == (
        35, 6, 10, 1024)
    assert (config.sum_bits, config.readout_bits, config.trace_top, config.weight_top) == (
        16, 45, (1 << 19) - 1, 127)
    assert dataclasses.replace(config, readout="spike-count").spiking == 138


@pytest.mark.parametrize(("fan_in", "bits"), [(1, 8), (2, 9), (3, 10), (256, 16), (257, 17)])
def test_sums_of_extreme_weights_fit(fan_in, bits):
    config = CoreConfig(**{**GOOD, "fan_in": fan_in})
    assert config.sum_bits == bits
    assert -(1 << (bits - 1)) <= fan_in * -128


@pytest.mark.parametrize(("delay_max", "slots"), [(1, 2), (2, 4), (3, 4), (4, 8), (63, 64)])
def test_slots_hold_every_delay_and_the_present(delay_max, slots):
    assert CoreConfig(**{**GOOD, "delay_max": delay_max}).slots == slots > delay_max


@pytest.mark.parametrize(("delay_max", "wheel", "lap_bits"), [
    (1, 8, 1), (65, 16, 1), (2048, 256, 1), (2049, 256, 1), (4097, 256, 2), (10_000, 256, 3)])
def test_a_wheel_tells_every_delay_apart(delay_max, wheel, lap_bits):
    config = CoreConfig(**{**GOOD, "delay_max": delay_max, "buffer": "cursor", "cursors": 8})
    assert (config.wheel_slots, config.lap_bits, config.slots) == (wheel, lap_bits, 32)
    assert delay_max <= wheel * WHEEL_TICKS << lap_bits


@pytest.mark.parametrize(("longest", "slots"), [(0, 16), (1, 32), (16, 32), (17, 64), (400, 512)])
def test_the_ring_behind_cursors_holds_dendritic_delays(longest, slots):
    config = CoreConfig(**{**GOOD, "buffer": "cursor", "cursors": 8, "delays": "axonal+dendritic",
                           "dendrites": 1, "dendritic_max": longest})
    assert config.slots == slots >= 2 * WHEEL_TICKS + longest


@pytest.mark.parametrize(("values", "message"), [
    ({"buffer": "cursor", "cursors": 4, "rows": "dense"},
     "Rows of cursors must be sparse with synaptic delays, not dense: a row is sorted by delay"),
    ({"segments": 2}, "Core segments must be a power of two from 1 to 1 with synaptic delays"),
    ({"segments": 3, "delays": "axonal"},
     "Core segments must be a power of two from 1 to 16 with axonal delays, not 3"),
    ({"dendrites": 1}, "Core dendrites must be a power of two from 0 to 0 with synaptic delays"),
    ({"delays": "axonal+dendritic"},
     r"Core dendrites must be a power of two from 1 to 16 with axonal\+dendritic delays, not 0"),
    ({"delays": "axonal", "dendritic_max": 3}, "Core dendritic_max must be from 0 to 0, not 3"),
    ({"delays": "axonal+dendritic", "dendrites": 2, "dendritic_max": 800},
     "Core dendritic_max must be from 0 to 799, not 800"),
])
def test_what_cannot_be_stored_together_is_refused(values, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        CoreConfig(**{**GOOD, **values})


@pytest.mark.parametrize("cursors", [0, 1, 24, 1 << 17])
def test_cursors_are_a_power_of_two(cursors):
    with pytest.raises(ValueError, match=rf"^Core cursors must be a power of two from 2 to 65536, "
                                         rf"not {cursors}$"):
        CoreConfig(**{**GOOD, "buffer": "cursor", "cursors": cursors})


def test_json_round_trip():
    config = CoreConfig(**GOOD)
    assert CoreConfig.from_json(config.to_json()) == config
    values = json.loads(config.to_json())
    assert set(values) & set(LATER) == set()
    other = dataclasses.replace(config, buffer="cursor", cursors=4)
    assert CoreConfig.from_json(other.to_json()) == other
    with pytest.raises(ValueError, match="Core config must have the keys"):
        CoreConfig.from_json(json.dumps({**values, "extra": 1}))
    values.pop("tick")
    with pytest.raises(ValueError, match="Core config must have the keys"):
        CoreConfig.from_json(json.dumps(values))


@pytest.mark.parametrize(("name", "value", "message"), [
    ("inputs", 0, "Core inputs must be from 1 to 65536, not 0"),
    ("outputs", 139, "Core outputs must be from 1 to 138, not 139"),
    ("readout", "max", "Core readout must be one of first-spike, spike-count, leaky, not 'max'"),
    ("synapse", "alpha", "Core synapse must be one of exponential, jump, not 'alpha'"),
    ("tick", 0.0005, "Core tick must be a whole number of microseconds from 0.001 to 10 ms"),
    ("tick", 0.0015, "Core tick must be a whole number of microseconds"),
    ("tick", 11.0, "Core tick must be a whole number of microseconds"),
    ("tick", float("inf"), "Core tick must be a whole number of microseconds"),
    ("tick", float("nan"), "Core tick must be a whole number of microseconds"),
    ("tau_s", 20.0, "Core time constants must satisfy 0 < tau_s < tau_m <= tau_a"),
    ("tau_a", 19.0, "Core time constants must satisfy"),
    ("tau_m", float("nan"), "Core time constants must satisfy"),
    ("trace_bits", 25, "Core trace_bits must be from 18 to 24, not 25"),
    ("guard_bits", 13, "Core guard_bits must be from 0 to 12, not 13"),
    ("banks", 139, "Core banks must be from 1 to 138, not 139"),
    ("buffer", "fifo", "Core buffer must be one of ring, cursor, not 'fifo'"),
    ("cursors", 4, "Core cursors must be from 0 to 0, not 4"),
    ("delay_max", 0, "Core delay_max must be from 1 to 65536, not 0"),
])
def test_bad_values_are_named(name, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        CoreConfig(**{**GOOD, name: value})


def test_types_are_strict():
    for name, value in (("inputs", 2.0), ("adaptive", 1), ("readout", 3), ("inputs", True)):
        with pytest.raises(TypeError, match=f"Core {name} must be of type"):
            CoreConfig(**{**GOOD, name: value})


def test_ticks_of_a_stream_wrap_after_every_wheel_gap_and_window():
    config = CoreConfig(**{**GOOD, "streaming": True})
    turn = 1 << config.tick_bits
    assert turn > 2 * config.ticks
    assert turn >= config.forgets_after + config.ticks
    slow = dataclasses.replace(config, tau_a=100 * config.tau_a)
    assert 1 << slow.tick_bits >= slow.forgets_after + slow.ticks > turn
    far = dataclasses.replace(config, delay_max=40_000, ticks=10)
    assert 1 << far.tick_bits >= far.slots == 1 << 16
    cursors = dataclasses.replace(far, buffer="cursor", cursors=4)
    assert cursors.tick_bits == 16
    assert config.readout_bits == CoreConfig(**GOOD).readout_bits
    assert CoreConfig.from_json(config.to_json()) == config
    with pytest.raises(ValueError, match=r"^Core traces must be 0 after at most 4194304 ticks in a "
                                         r"stream, not after \d+$"):
        dataclasses.replace(config, tau_a=900_000.0)


@pytest.mark.parametrize("tau", [0.3, 5.0, 21.7, 543.2])
@pytest.mark.parametrize("tick", [0.05, 1.0, 10.0])
def test_traces_are_0_when_a_stream_forgets_them(tau, tick):
    config = CoreConfig(**{**GOOD, "tick": tick, "tau_s": tau / 2, "tau_m": tau, "tau_a": tau,
                           "streaming": True})
    tables = make_tables(config)
    ended = max(table.size for table in (tables.high_m, tables.high_s, tables.high_a))
    assert config.forgets_after - 128 <= 64 * ended <= config.forgets_after
    assert np.exp(-64 * ended * tick / tau) * (1 << 16) < 0.5
