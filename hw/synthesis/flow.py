"""From a core to the cells that it takes on a device, to its highest clock, and to a bitstream."""

import hashlib
import json
import logging
import statistics
from importlib.metadata import version

from ...model.files import write_atomically
from .bitstream import pack
from .cells import CORE, TOP, core_cells, unit_cells, write_design
from .devices import FAMILIES, PINS, find_device
from .floorplan import keep_banks_together
from .place import place, placed_name
from .tools import YOSYS, ToolError, require

__all__ = ["FORMAT", "synthesise"]

FORMAT = "ranvier.synthesis/1"

logger = logging.getLogger(__name__)


def synthesise(core, name, folder, *, seeds=3):
    """Synthesise a core for a device, place and route it behind a `Harness`, make a bitstream.

    The cells are those of Yosys's netlist, in which the core's hierarchy is flattened but its own
    border stands, so that they're the core's alone. Those of ``units`` come from a second netlist,
    in which every border stands, and sum up to somewhat more. The bitstream is that of the seed
    with the best clock, and is of the core in its harness.

    Parameters
    ----------
    core : NeuronCore
        Parameters that it has are in its memories from the start.
    name : str
        One of `DEVICES`.
    folder : Path
        Is there. Netlists and what the tools said stay in it; ``synthesis.json`` is written last.
    seeds : int
        How often it's placed, each time from another seed, 1 and up.

    Returns
    -------
    dict
        What ``synthesis.json`` says, ready for JSON: docs/synthesis.md explains its keys.

    Raises
    ------
    ValueError
        If there's no such device.
    RuntimeError
        If a program isn't installed, or Yosys fails. If another does, the report says so.
    """
    device = find_device(name)
    family = FAMILIES[device.family]
    require(YOSYS, *family.programs)
    (folder / f"{TOP}{family.ending}").unlink(missing_ok=True)  # an earlier core's
    write_design(core, folder)
    own, units = core_cells(device, folder), unit_cells(device, folder)
    many = keep_banks_together(device, folder, f"{TOP}.{CORE}")
    lacking = {kind: [own[kind], has] for kind, has in device.has.items() if own[kind] > has}
    placed, bitstream, reason = [], None, ""
    if device.pins:
        (folder / PINS).write_text(
            "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in device.pins.items()),
            encoding="utf-8")
    try:
        for seed in range(1, seeds + 1) if not lacking else ():
            logger.info("synthesis: %s, place and route %d of %d", name, seed, seeds)
            placed.append(_place(device, folder, seed, units, many))
        if placed:
            bitstream = _pack(device, family, folder, placed)
    except ToolError as error:
        reason = str(error)
    report = {
        "format": FORMAT,
        "device": name,
        "part": device.part,
        "parameters": None if core.parameters is None else core.parameters.hash,
        "cells": own,
        "has": device.has,
        "units": [{"unit": unit, **kinds} for unit, kinds in units.items()],
        "fits": len(placed) == seeds,
        "lacking": lacking,
        "reason": reason,
        "placed": placed,
        "fmax_mhz": statistics.median(one["fmax_mhz"] for one in placed) if placed else None,
        "bitstream": bitstream,
        "versions": {program[0]: version(program[0]) for program in (YOSYS, *family.programs)},
    }
    write_atomically(folder / "synthesis.json", (json.dumps(report, indent=1) + "\n").encode())
    return report


def _place(device, folder, seed, units, many):
    """Place and route once; returns seed, clock, slowest path, and the device's cells in use."""
    found, path = place(device, folder, seed, target=device.target, many=many)
    ends = (path[0]["from"]["cell"], path[-1]["to"]["cell"])
    slowest = {"from": _owner(ends[0], units), "to": _owner(ends[1], units),
               "cells": sum(hop["type"] == "logic" for hop in path)}
    return found | {"slowest": slowest}


def _pack(device, family, folder, placed):
    """Make the bitstream of the place with the best clock; returns what it is."""
    best = max(placed, key=lambda place: place["fmax_mhz"])
    file = TOP + family.ending
    pack(device, folder, placed_name(best["seed"]), file)
    content = (folder / file).read_bytes()
    return {"file": file, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
            "seed": best["seed"]}


def _owner(cell, units):
    """Return the innermost of the units in which a cell is; the harness's own have no prefix."""
    owners = [unit for unit in units if cell.startswith(f"{unit}.")]
    return max(owners, key=len, default=TOP)
