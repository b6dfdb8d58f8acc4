# amaranth: UnusedElaboratable=no
"""The rule by which memories go into RAMs is that of the tool."""
import json

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ranvier.hw.cleared import ClearedMemory
from ranvier.hw.plain import plain_memory
from ranvier.hw.synthesis.devices import DEVICES, FAMILIES
from ranvier.hw.synthesis.memories import memory_cells, place_memory
from ranvier.hw.synthesis.tools import YOSYS, run
from ranvier.model.memory import core_memories

from ...designs import random_config

SHAPES = ((17, 2816), (10, 6400), (19, 2048), (8, 9000), (9, 96), (5, 5), (33, 70), (3, 40),
          (36, 513), (1, 20_000))  # fmt: skip
KEPT = (40, 24)  # of a word that is read as it was
DEVICE = {"ecp5": "ecp5-25k", "ice40": "up5k", "gowin": "gw1nr-9"}


class Plain(wiring.Component):
    """One memory, and nothing else."""

    def __init__(self, width, words, *, block=False):
        self._shape, self._block = (width, words), block
        bits = (words - 1).bit_length()
        super().__init__({"read": In(bits), "word": Out(width), "enable": In(1), "write": In(1),
                          "place": In(bits), "after": In(width)})

    def elaborate(self, platform):
        m = Module()
        width, words = self._shape
        read, write = plain_memory(m, "words", shape=width, depth=words, block=self._block)
        m.d.comb += [read.addr.eq(self.read), read.en.eq(self.enable), self.word.eq(read.data),
                     write.addr.eq(self.place), write.data.eq(self.after), write.en.eq(self.write)]
        return m


class Memories(wiring.Component):
    """Memories side by side, with all their ports outside."""

    def __init__(self, units):
        self._units = units
        super().__init__({f"{name}_{member}": flow for name, unit in units.items()
                          for member, flow in unit.signature.members.items()})

    def elaborate(self, platform):
        m = Module()
        for name, unit in self._units.items():
            m.submodules[name] = unit
            for member, flow in unit.signature.members.items():
                ends = getattr(unit, member), getattr(self, f"{name}_{member}")
                target, source = ends if flow.flow == In else reversed(ends)
                m.d.comb += Value.cast(target).eq(source)
        return m


@pytest.mark.parametrize("family", DEVICE)
def test_the_tool_puts_memories_where_the_rule_says(family, tmp_path):
    units = {f"plain_{k}": Plain(*shape) for k, shape in enumerate(SHAPES)}
    units["pool"] = Plain(6, 8, block=True)
    units["states"] = ClearedMemory(shape=KEPT[0], depth=KEPT[1])
    device = DEVICES[DEVICE[family]]
    (tmp_path / "top.il").write_text(rtlil.convert(Memories(units), name="top", emit_src=False))
    run(YOSYS, ["-q", "-p", f"read_rtlil top.il; {FAMILIES[family].synthesis} {device.synthesis} "
                "-noflatten -top top; write_json top.json"], tmp_path)
    modules = json.loads((tmp_path / "top.json").read_text())["modules"]
    expected = {f"plain_{k}": ("fetch.plain", *shape) for k, shape in enumerate(SHAPES)} | {
        "pool": ("bank_0.fetch.wheel.pool", 6, 8),
        "states": ("bank_0.neurons.memory.states.words", *KEPT)}
    for name, memory in expected.items():
        kinds = [FAMILIES[family].kind(cell["type"])
                 for cell in modules[f"top.{name}"]["cells"].values()]
        placed = place_memory(*memory, family)
        for kind in ("block RAM", "LUT RAM"):
            assert kinds.count(kind) == placed.count * (placed.kind == kind), memory
        if placed.kind == "register":
            assert kinds.count("flip-flop") >= placed.count


@pytest.mark.parametrize("family", DEVICE)
def test_a_core_s_memories_are_added_up(family):
    config = random_config(np.random.default_rng(4), neurons=13, synapses=900)
    cells = memory_cells(config, family)
    placed = [place_memory(name, *shape, family) for name, shape in core_memories(config).items()]
    assert cells == {kind: sum(one.count for one in placed if one.kind == kind)
                     for kind in ("block RAM", "LUT RAM", "register")}
