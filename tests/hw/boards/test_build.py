"""Bitstreams of boards, with a unit on two wires that is quick to place in the core's stead."""

import json
from functools import reduce
from operator import xor
from types import SimpleNamespace

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ranvier.hw.boards import boards, build
from ranvier.hw.boards.build import build_board
from ranvier.hw.synthesis.cells import FEWEST_BANKS
from ranvier.hw.synthesis.tools import ToolError

# Bits at the beginning of a bitstream by which its family's programmers know it.
MAGIC = {"icebreaker": bytes.fromhex("7eaa997e"), "ulx3s-85f": bytes.fromhex("ffffbdb3"),
         "tang-nano-9k": b"1" * 32}
PINS = {"icebreaker": ["35", "6", "9"], "ulx3s-85f": ["G2", "M1", "L4"],
        "tang-nano-9k": ["52", "18", "17"]}
FILES = {"icebreaker": "top.pcf", "ulx3s-85f": "top.lpf", "tang-nano-9k": "pins.cst"}
CLOCKS = {"icebreaker": 12, "ulx3s-85f": 25, "tang-nano-9k": 27}
PARAMETERS = SimpleNamespace(config=None, hash="none")


BANKS = {"icebreaker": 0, "ulx3s-85f": FEWEST_BANKS, "tang-nano-9k": 0}


class Nested(wiring.Component):
    """Hands a wire on through units, and counts in the innermost, whose banks store and tell."""

    def __init__(self, names, banks):
        self._names = names
        self._banks = banks
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        if not self._names:
            count = Signal(8)
            m.d.sync += count.eq(count + self.rx)
            words = [count[-1]]
            for k in range(self._banks):
                m.submodules[f"bank_{k}"] = bank = Module()
                bank.submodules.memory = memory = Memory(shape=16, depth=512, init=[k + 1])
                read, write = memory.read_port(), memory.write_port()
                m.d.comb += [read.addr.eq(count), read.en.eq(1), write.addr.eq(count),
                             write.en.eq(self.rx), write.data.eq(k)]
                words.append(read.data)
            m.d.comb += self.tx.eq(reduce(xor, words).xor())
            return m
        inner = m.submodules[self._names[0]] = Nested(self._names[1:], self._banks)
        seen = Signal()
        m.d.sync += seen.eq(self.rx)
        m.d.comb += [inner.rx.eq(seen), self.tx.eq(inner.tx)]
        return m


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Put a unit with the core's place in the hierarchy into the tops."""
    def serial(config, parameters, *, cycles):
        name, = (board for board, clock in CLOCKS.items() if clock == cycles)
        return Nested(boards.BoardTop.CORE.split(".")[1:], BANKS[name])

    monkeypatch.setattr(boards, "SerialCore", serial)


@pytest.mark.parametrize("name", list(boards.BOARDS))
def test_a_top_becomes_a_bitstream_on_its_board_s_pins(tmp_path, name):
    report = build_board(name, PARAMETERS, tmp_path, baud=1_000_000)
    assert json.loads((tmp_path / "board.json").read_text()) == report
    assert (report["met"], report["reason"], report["lacking"]) == (True, "", {})
    assert report["clock_mhz"] == CLOCKS[name] < report["placed"]["fmax_mhz"]
    assert report["cells"]["core"]["flip-flop"] == 8 or BANKS[name]
    assert report["cells"]["link"]["flip-flop"] >= 2
    assert report["cells"]["core"]["block RAM"] == BANKS[name]
    modules = json.loads((tmp_path / "netlist.json").read_text())["modules"].values()
    told = [cell["attributes"]["BEL"] for module in modules for cell in module["cells"].values()
            if "BEL" in cell["attributes"]]
    assert len(told) == len(set(told)) == BANKS[name]
    log = (tmp_path / f"place-{report['placed']['seed']}.log").read_text()
    assert ("tmgfail=0" in log) == bool(BANKS[name])
    bitstream = (tmp_path / report["bitstream"]).read_bytes()
    assert MAGIC[name] in bitstream
    assert len(bitstream) > 50_000
    pins = (tmp_path / FILES[name]).read_text()
    assert all(f" {pin}" in pins or f'"{pin}"' in pins for pin in PINS[name])


def test_a_clock_that_is_not_met_gives_no_bitstream(tmp_path, monkeypatch):
    seeds = []

    def place(device, folder, seed, *, target, options, many):
        seeds.append((seed, target))
        return {"seed": seed, "fmax_mhz": {1: 9.0, 2: 11.9, 3: 10.0}[seed], "used": {}}, []

    (tmp_path / "top.bin").write_bytes(b"of an earlier design")
    monkeypatch.setattr(build, "place", place)
    report = build_board("icebreaker", PARAMETERS, tmp_path, baud=1_000_000)
    assert seeds == [(1, 12), (2, 12), (3, 12)]
    assert (report["met"], report["bitstream"], report["placed"]["seed"]) == (False, None, 2)
    assert not (tmp_path / "top.bin").exists()

    def fail(device, folder, seed, *, target, options, many):
        raise ToolError("no room")

    monkeypatch.setattr(build, "place", fail)
    report = build_board("icebreaker", PARAMETERS, tmp_path, baud=1_000_000)
    assert (report["met"], report["reason"], report["placed"]) == (False, "no room", None)


def test_boards_and_rates_that_are_not_there(tmp_path):
    with pytest.raises(ValueError, match="Board must be one of icebreaker, ulx3s-85f, "
                                         "tang-nano-9k, not 'arty'"):
        build_board("arty", PARAMETERS, tmp_path, baud=1_000_000)
    with pytest.raises(ValueError, match="2 % of 12000000 Hz"):
        build_board("icebreaker", PARAMETERS, tmp_path, baud=5_000_000)
