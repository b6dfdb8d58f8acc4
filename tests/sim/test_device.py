"""A `Device` and a simulated board, over a public model of a UART."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import verilog
from cocotb_tools.runner import get_runner

from ranvier.hw.boards.protocol import PROTOCOL, Command, decode, encode, fingerprint
from ranvier.hw.boards.top import SerialCore
from ranvier.hw.registers import IDENTITY, VERSION
from ranvier.model.emulator import Emulator
from ranvier.sim import toolchain
from ranvier.sim.cosim import LAUNCH, build
from ranvier.sim.device import Device, DeviceError

from ..designs import random_config, random_events, random_parameters, stream_config

TOP = "ranvier_board"
CYCLES = 8  # of a bit; a cycle has 10 ns
BIT = 80
CONFIG = random_config(
    np.random.default_rng(40), inputs=8, neurons=10, outputs=3, ticks=250, banks=1,
    readout="spike-count", synapse="exponential", adaptive=True)
RATES = (0.05, 0.3, 0.5, 0.0)


def pairs(seed, count):
    """Return parameters and events of samples, two samples to a network."""
    networks = [random_parameters(np.random.default_rng([seed, n]), CONFIG)
                for n in range((count + 1) // 2)]
    return networks, [(n // 2, random_events(np.random.default_rng([seed, 100, n]), CONFIG,
                                             rate=RATES[n % len(RATES)])) for n in range(count)]


def play(builds, folder, networks, samples, *, bit=BIT, seed=None):
    """Run samples on a simulated board. Returns what the testbench noted."""
    board = SerialCore(networks[0].config, cycles=CYCLES)
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
    stream = Emulator(networks[0]).stream() if networks[0].config.streaming else None
    for said, (network, events) in zip(given, samples, strict=True):
        result = (stream or Emulator(networks[network])).run(events)
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


def test_a_device_runs_the_windows_of_a_stream(builds, tmp_path):
    config = stream_config(np.random.default_rng(3), readout="spike-count", banks=1, inputs=4,
                           neurons=6, outputs=3)
    parameters = random_parameters(np.random.default_rng(4), config)
    samples = [(0, random_events(np.random.default_rng(n), config, rate=RATES[n % 4]))
               for n in range(3 + (1 << config.tick_bits) // config.ticks)]
    result = play(builds, tmp_path, [parameters], samples)
    assert check(result["given"], [parameters], samples) > 0


def test_nothing_is_lost_or_doubled_on_a_bad_line(builds, tmp_path):
    networks, samples = pairs(11, 3)
    result = play(builds, tmp_path, networks, samples, seed=1)
    assert "error" not in result, result
    check(result["given"], networks, samples)
    assert min(result["damages"].values()) > 0, result["damages"]
    assert result["damaged"] > 0


class ScriptedPort:
    """Answers every request with what ``answer(body)`` returns: a body, or None for silence."""

    in_waiting = 0

    def __init__(self, answer):
        self._answer = answer
        self._line = b""
        self.requests = []

    def write(self, data):
        body = decode(data[1:-1])
        self.requests.append(body)
        answer = self._answer(body)
        if answer is not None:
            self._line += encode(answer)

    def read(self, size):
        data, self._line = self._line[:size], self._line[size:]
        return data

    def reset_input_buffer(self):
        self._line = b""


def words(*values):
    return b"".join(value.to_bytes(4, "little") for value in values)


def board(body, *, design=None, take=255, output=()):
    """Play a board with a core that takes up to ``take`` words of events and gives ``output``."""
    tag, command = body[:2]
    if command == Command.READ.value:
        registers = [IDENTITY, VERSION, *range(2, body[6])]
        return bytes([tag, 0]) + words(*registers)
    if command == Command.OUTPUT.value:
        return bytes([tag, 0]) + words(*output[body[2] :])
    taken = min(take, max(0, len(body) - 6) // 4)
    state = words(PROTOCOL | taken << 16)
    known = words(fingerprint(CONFIG) if design is None else design)
    return bytes([tag, 0]) + state + (known if command == Command.PING.value else b"")


def test_a_silent_line_is_an_error_after_some_attempts():
    port = ScriptedPort(lambda body: None)
    with pytest.raises(DeviceError, match="PING with 0 words must be answered within 5 attempts, "
                                          "not with 0 damaged or late frames"):
        Device(port, CONFIG)
    assert [body[1:] for body in port.requests] == [b"\0"] * 5
    assert len({body[0] for body in port.requests}) == 5


def test_another_core_than_the_host_s_is_an_error():
    with pytest.raises(DeviceError, match=r"design [0-9a-f]{8}, not protocol 1 and 0000002a"):
        Device(ScriptedPort(lambda body: board(body, design=42)), CONFIG)


def test_a_refused_request_is_an_error():
    device = Device(ScriptedPort(board), CONFIG)
    device._link.port._answer = lambda body: bytes([body[0], 3])
    with pytest.raises(DeviceError, match="WRITE with 2 words must be answered with status 0 and "
                                          "whole words, not with 03"):
        device.write(5, [6])


def test_a_core_that_stops_is_an_error_and_the_next_sample_begins_with_a_reset():
    port = ScriptedPort(lambda body: board(body, take=0))
    device = Device(port, CONFIG)
    events = random_events(np.random.default_rng(1), CONFIG, rate=0.05)
    with pytest.raises(DeviceError, match="must move a word within 0.01 s, not stop after taking "
                                          f"0 of {len(events) + 1} and giving 0"):
        device.run(events, patience=0.01)
    port.requests.clear()
    last = CONFIG.ticks | 2 << CONFIG.tick_bits | 1 << (CONFIG.tick_bits + CONFIG.neuron_bits)
    port._answer = lambda body: board(body, output=[last])
    none = random_events(np.random.default_rng(1), CONFIG, rate=0.0)
    outcome = device.run(none)
    assert (outcome.decision, outcome.spikes.tolist()) == (2, [])
    assert port.requests[0][1] == Command.RESET.value


def test_parameters_of_another_config_are_refused():
    device = Device(ScriptedPort(board), CONFIG)
    other = replace(CONFIG, synapses=CONFIG.synapses + 1)
    with pytest.raises(ValueError, match="Parameters must have the board's config"):
        device.load(random_parameters(np.random.default_rng(1), other))


def test_a_device_opens_pyserial_s_ports():
    # A line whose ends are tied together gives the request back, which is no answer to it.
    with pytest.raises(DeviceError, match="PING with 0 words must be answered with 2 words, not 0"):
        Device.open("loop://", CONFIG, timeout=0.05)


def test_without_pyserial_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(RuntimeError, match=r"pip install 'ranvier\[board\]'"):
        Device.open("loop://", CONFIG)
