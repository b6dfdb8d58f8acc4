"""A `Device` and a simulated board, over a public model of a UART."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import verilog
from cocotb_tools.runner import get_runner

from ranvier.hw.boards.top import SerialCore
from ranvier.model.emulator import Emulator
from ranvier.sim import toolchain
from ranvier.sim.cosim import LAUNCH, build

from ..designs import random_config, random_events, random_parameters

TOP = "ranvier_board"
CYCLES = 8  # of a bit; a cycle has 10 ns
BIT = 80
CONFIG = random_config(
    np.random.default_rng(40), inputs=8, neurons=13, outputs=3, ticks=180, banks=2,
    readout="spike-count", synapse="exponential", adaptive=True)
RATES = (0.05, 0.3, 1.0, 0.0)


def pairs(seed, count):
    """Return parameters and events of samples, two samples to a network."""
    networks = [random_parameters(np.random.default_rng([seed, n]), CONFIG)
                for n in range((count + 1) // 2)]
    return networks, [(n // 2, random_events(np.random.default_rng([seed, 100, n]), CONFIG,
                                             rate=RATES[n % len(RATES)])) for n in range(count)]


def play(builds, folder, networks, samples, *, bit=BIT, seed=None, config=None):
    """Run samples on a simulated board. Returns what the testbench noted."""
    board = SerialCore(config or CONFIG, cycles=CYCLES)
    built = build(verilog.convert(board, name=TOP, emit_src=False), builds, "verilator", top=TOP)
    for n, network in enumerate(networks):
        network.save(folder / f"network{n}.safetensors")
    for n, (_, events) in enumerate(samples):
        np.savez(folder / f"sample{n}.npz", ticks=events.ticks, channels=events.channels)
    job, result = folder / "job.json", folder / "result.json"
    job.write_text(json.dumps({
        "parameters": [str(folder / f"network{n}.safetensors") for n in range(len(networks))],
        "samples": [(network, str(folder / f"sample{n}.npz"))
                    for n, (network, _) in enumerate(samples)],
        "bit": bit, "timeout": 40 * 10 * BIT + 65536 * 10, "seed": seed}))
    variables = {**LAUNCH, "RANVIER_JOB": str(job), "RANVIER_RESULT": str(result)}
    with toolchain.active(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])
        get_runner("verilator").test(
            hdl_toplevel=TOP, hdl_toplevel_lang="verilog", build_dir=built,
            test_module="tb_device", test_dir=folder, extra_env=variables,
            results_xml=str(folder / "marks.xml"), log_file=folder / "log.txt")
    return json.loads(result.read_text())


def check(given, networks, samples):
    """Check that a device said what the emulator says; returns the most spikes of a sample."""
    most = 0
    assert len(given) == len(samples)
    for said, (network, events) in zip(given, samples, strict=True):
        result = Emulator(networks[network]).run(events)
        fired = result.trace[result.trace["fired"] == 1]
        assert said["decision"] == result.decision
        assert said["spikes"] == [[row["tick"], row["neuron"]] for row in fired]
        assert said["registers"]["decision"] == result.decision
        assert said["registers"]["input_events"] == len(events)
        assert said["registers"]["errors"] == 0
        most = max(most, len(fired))
    return most


def test_a_device_says_what_the_emulator_says(builds, tmp_path):
    networks, samples = pairs(80, 4)
    result = play(builds, tmp_path, networks, samples, bit=81)  # the host's clock is 1.25 % off
    assert check(result["given"], networks, samples) > 255  # more than the board can hold
    assert result["damaged"] == 0


def test_nothing_is_lost_or_doubled_on_a_bad_line(builds, tmp_path):
    networks, samples = pairs(11, 5)
    result = play(builds, tmp_path, networks, samples, seed=1)
    assert "error" not in result, result
    check(result["given"], networks, samples)
    assert min(result["damages"].values()) > 0, result["damages"]
    assert result["damaged"] > 0
