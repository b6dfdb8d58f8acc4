"""Gowin's devices, with a unit that is quick to place: nextpnr takes minutes for a core's."""

import json
import re
from types import SimpleNamespace

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ranvier.hw.synthesis.devices import DEVICES
from ranvier.hw.synthesis.flow import synthesise

# Of GW1N-9C and GW2A-18, as the makers of programmers know them.
IDCODES = {"gw1nr-9": 0x1100481B, "gw2ar-18": 0x0000081B}
WORDS = {"deep": [5 * word & 0xFFFF for word in range(512)], "shallow": [1, 2, 4, 8, 9, 10]}


class Tables(wiring.Component):
    """Two memories and a product, as a core has them."""

    def __init__(self, words):
        self._words = words
        self.parameters = SimpleNamespace(hash="none")
        super().__init__({"address": In(9), "write": In(1), "total": Out(32)})

    def elaborate(self, platform):
        m = Module()
        ports = {}
        for name, words in self._words.items():
            m.submodules[name] = memory = Memory(shape=16, depth=len(words), init=words)
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [read.addr.eq(self.address), write.addr.eq(self.address), read.en.eq(1),
                         write.en.eq(self.write), write.data.eq(self.total)]
            ports[name] = read.data
        m.d.sync += self.total.eq(ports["deep"] * ports["shallow"])
        return m


@pytest.fixture(scope="module", params=list(IDCODES))
def report(request, tmp_path_factory):
    """Return the report of the tables, and its folder."""
    folder = tmp_path_factory.mktemp(request.param)
    return synthesise(Tables(WORDS), request.param, folder, seeds=1), folder


def test_cells_are_counted_and_placed(report):
    found, _ = report
    assert (found["fits"], found["lacking"], found["reason"]) == (True, {}, "")
    cells = found["cells"]
    assert (cells["block RAM"], cells["LUT RAM"], cells["multiplier"]) == (1, 4, 0)
    assert cells["LUT4"] > 50
    assert cells["carry"] > 16
    assert cells["flip-flop"] >= 32
    assert 5 < found["fmax_mhz"] < 500
    assert found["placed"][0]["slowest"]["cells"] > 1
    used = found["placed"][0]["used"]
    assert used["BSRAM"] == {"used": 1, "available": found["has"]["block RAM"]}
    assert used["RAM16SDP4"] == {"used": 4, "available": found["has"]["LUT RAM"]}
    assert used["LUT4"]["available"] == found["has"]["LUT4"]
    assert used["DFF"]["available"] == found["has"]["flip-flop"]


def test_pads_are_the_harness_s_and_where_the_pin_file_says(report):
    found, folder = report
    modules = json.loads((folder / "netlist.json").read_text())["modules"]
    pads = {name: sum(cell["type"] in ("IBUF", "OBUF") for cell in module["cells"].values())
            for name, module in modules.items() if name.startswith("harness")}
    assert pads == {"harness": 5, "harness.core": 0}
    pins = dict(re.findall(r'^IO_LOC "(\w+)" (\d+);$', (folder / "pins.cst").read_text(), re.M))
    assert pins == DEVICES[found["device"]].pins
    assert pins.keys() == modules["harness"]["ports"].keys()


def test_the_bitstream_is_for_the_device(report):
    found, folder = report
    assert found["bitstream"]["file"] == "harness.fs"
    lines = (folder / "harness.fs").read_text().splitlines()
    header = {line[:8]: int(line, 2) for line in lines[:10] if len(line) == 64}
    assert header["00000110"] & 0xFFFFFFFF == IDCODES[found["device"]]


@pytest.mark.parametrize("report", ["gw1nr-9"], indirect=True)
@pytest.mark.parametrize("memory", list(WORDS))
def test_what_is_in_a_memory_is_in_the_bitstream(report, tmp_path, memory):
    found, folder = report
    words = [word ^ (place == 1) for place, word in enumerate(WORDS[memory])]
    other = synthesise(Tables(WORDS | {memory: words}), found["device"], tmp_path, seeds=1)
    assert other["placed"] == found["placed"]
    pairs = zip((folder / "harness.fs").read_text().splitlines(),
                (tmp_path / "harness.fs").read_text().splitlines(), strict=True)
    # A line has a checksum of 16 bits; one of the file is in the footer.
    differ = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairs
              if pair[0] != pair[1]]
    assert 1 <= len(differ) <= 3
    assert all(bits <= 17 for bits in differ)
