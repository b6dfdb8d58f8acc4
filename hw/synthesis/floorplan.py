"""Keeps the block RAMs of each of many banks together on a device, and so its other cells."""

import json
import re
from importlib.resources import files

from ...model.files import write_atomically
from .cells import many_banks
from .devices import FAMILIES
from .place import NETLIST

__all__ = ["block_ram_sites", "keep_banks_together"]

CELL, SITES = "DP16KD", 4
"""ECP5's block RAM, and how many stand in a row of nine tiles, one at every second of them."""


def block_ram_sites(device):
    """Return nextpnr's names of an ECP5's sites of block RAMs, so that neighbours are near.

    They're taken row by row, every second row from right to left. Which tiles there are tells the
    database that nextpnr comes with (Project Trellis).
    """
    package = FAMILIES[device.family].program[1]
    part = "-".join(device.part.split("-")[:2])
    grid = files(package) / f"share/trellis/database/ECP5/{part}/tilegrid.json"
    rows = {}
    for tile in json.loads(grid.read_text(encoding="utf-8")):
        # The first tile of a few has another name; the third always has this one.
        if found := re.fullmatch(r"MIB_R(\d+)C(\d+):MIB_EBR2", tile):
            row, first = int(found[1]), int(found[2]) - 2
            rows.setdefault(row, []).extend(
                (first + 2 * k, f"X{first + 2 * k}/Y{row}/EBR{k}") for k in range(SITES))
    return [name for k, row in enumerate(sorted(rows))
            for _, name in sorted(rows[row], reverse=k % 2 == 1)]


def keep_banks_together(device, folder, core):
    """Tell in `NETLIST` where the block RAMs of each bank go, if an ECP5 has to hold many banks.

    nextpnr places everything at once, and tears the banks of a large core apart: docs/synthesis.md
    has what that costs. Each of `many_banks` gets an equal piece of all sites. Where a piece is too
    small for its bank, nothing is told.

    Parameters
    ----------
    device : Device
    folder : Path
        With the netlist.
    core : str
        Name of the core's module in it.

    Returns
    -------
    bool
        Whether `place` has to know that there are many.
    """
    if device.family != "ecp5":
        return False
    netlist = json.loads((folder / NETLIST).read_text(encoding="utf-8"))
    modules = netlist["modules"]
    banks = [[cell for cell in modules[module]["cells"].values() if cell["type"] == CELL]
             for module in many_banks(modules, core)]
    if not banks:
        return False
    sites = block_ram_sites(device)
    pieces = [sites[k * len(sites) // len(banks) : (k + 1) * len(sites) // len(banks)]
              for k in range(len(banks))]
    if any(len(cells) > len(piece) for cells, piece in zip(banks, pieces, strict=True)):
        return True
    for cells, piece in zip(banks, pieces, strict=True):
        for k, cell in enumerate(cells):  # all over the piece: wires need room
            cell["attributes"]["BEL"] = piece[k * len(piece) // len(cells)]
    write_atomically(folder / NETLIST, json.dumps(netlist).encode())
    return True
