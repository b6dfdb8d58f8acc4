"""Many banks on an ECP5: each has its place, and routing strives for the clock."""

import json
import re
from functools import reduce
from operator import xor

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ranvier.hw.synthesis.cells import FEWEST_BANKS, core_cells, write_design
from ranvier.hw.synthesis.devices import DEVICES, find_device
from ranvier.hw.synthesis.floorplan import block_ram_sites, keep_banks_together
from ranvier.hw.synthesis.place import NETLIST, place

ECP5 = [name for name, device in DEVICES.items() if device.family == "ecp5"]


@pytest.mark.parametrize("name", ECP5)
def test_all_sites_of_a_device_are_told_and_neighbours_are_near(name):
    device = find_device(name)
    sites = block_ram_sites(device)
    assert len(set(sites)) == len(sites) == device.has["block RAM"]
    places = np.array([[int(number) for number in re.match(r"X(\d+)/Y(\d+)/", site).groups()]
                       for site in sites])
    steps = abs(np.diff(places, axis=0))
    same_row = steps[:, 1] == 0
    assert (~same_row).sum() == len(set(places[:, 1])) - 1
    assert set(steps[same_row, 0]) <= {2, 3, 4, 5}
    assert not steps[~same_row, 0].any()  # a row goes on where the one before ended


def netlist(counts):
    """Return a netlist of banks with ``counts`` block RAMs, and one and other cells beside them."""
    banks = {f"harness.core.bank_{bank}": {"cells": {
        f"memory.{k}": {"type": "DP16KD", "attributes": {}} for k in range(count)} | {
            "logic": {"type": "LUT4", "attributes": {}}}} for bank, count in enumerate(counts)}
    core = {"bank_0.memory": {"type": "DP16KD", "attributes": {}}}
    return {"modules": {"harness": {"cells": {}}, "harness.core": {"cells": core}, **banks}}


def pinned(folder, device, counts):
    """Return where each block RAM goes, the netlist apart from that, and whether it's of many."""
    (folder / NETLIST).write_text(json.dumps(netlist(counts)))
    many = keep_banks_together(find_device(device), folder, "harness.core")
    after = json.loads((folder / NETLIST).read_text())
    banks = [after["modules"][f"harness.core.bank_{bank}"]["cells"] for bank in range(len(counts))]
    return [[cells[f"memory.{k}"]["attributes"].pop("BEL", None) for k in range(count)]
            for cells, count in zip(banks, counts, strict=True)], after, many


@pytest.mark.parametrize(("device", "counts"), [
    ("ecp5-85k", [13] * 16), ("ecp5-25k", [3] * 16), ("ecp5-45k", [6, 1, 4, 2, 3, 5] * 3)])
def test_each_of_many_banks_has_sites_of_its_own(device, counts, tmp_path):
    banks, after, many = pinned(tmp_path, device, counts)
    assert after == netlist(counts)
    assert many is True
    sites = block_ram_sites(find_device(device))
    places = [[sites.index(site) for site in bank] for bank in banks]
    size = len(sites) / len(counts)
    for k, places_of_bank in enumerate(places):
        assert places_of_bank == sorted(set(places_of_bank))
        assert all(int(k * size) <= place < int((k + 1) * size) for place in places_of_bank)


@pytest.mark.parametrize(("device", "counts", "wanted"), [
    ("ecp5-85k", [14] + [1] * 15, True), ("ecp5-25k", [3] * 15, False),
    ("up5k", [1] * 16, False)])
def test_nothing_is_told_where_it_can_t_be_or_needn_t(device, counts, wanted, tmp_path):
    banks, after, many = pinned(tmp_path, device, counts)
    assert many is wanted
    assert after == netlist(counts)
    assert not any(site for bank in banks for site in bank)


class Memories(wiring.Component):
    """Banks of a block RAM each, under one address, which each bank keeps."""

    def __init__(self):
        super().__init__({"address": In(9), "write": In(1), "o": Out(16)})

    def elaborate(self, platform):
        m = Module()
        words = []
        for k in range(FEWEST_BANKS):
            m.submodules[f"bank_{k}"] = bank = Module()
            bank.submodules.memory = memory = Memory(shape=16, depth=512, init=[k])
            read, write = memory.read_port(), memory.write_port()
            kept = Signal(9)
            bank.d.sync += kept.eq(self.address)
            m.d.comb += [read.addr.eq(kept), write.addr.eq(kept), read.en.eq(1),
                         write.en.eq(self.write), write.data.eq(self.o)]
            words.append(read.data)
        m.d.sync += self.o.eq(reduce(xor, words))
        return m


def test_nextpnr_puts_banks_where_they_re_told_to_be(tmp_path):
    device = find_device("ecp5-25k")
    write_design(Memories(), tmp_path)
    cells = core_cells(device, tmp_path)
    assert cells["block RAM"] == FEWEST_BANKS
    assert cells["flip-flop"] == 16 + 9 * FEWEST_BANKS  # none is merged with another bank's
    keep_banks_together(device, tmp_path, "harness.core")
    found, path = place(device, tmp_path, 1, target=20.0, many=True,
                        options=("--write", "placed.json"))
    assert found["used"]["DP16KD"]["used"] == FEWEST_BANKS
    assert path
    assert "tmgfail=0" in (tmp_path / "place-1.log").read_text()

    def sites(name, attribute):
        modules = json.loads((tmp_path / name).read_text())["modules"]
        return {f"{module}.{cell}".split("core.")[1]: content["attributes"][attribute]
                for module, parts in modules.items() for cell, content in parts["cells"].items()
                if content["type"] == "DP16KD"}

    told = sites(NETLIST, "BEL")
    assert len(set(told.values())) == FEWEST_BANKS
    assert sites("placed.json", "NEXTPNR_BEL") == told
