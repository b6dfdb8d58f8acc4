"""From a design to a bitstream for a board, with its parameters in the memories."""

import json
import logging
from collections import Counter
from importlib.metadata import version

from ...model.files import write_atomically
from ..synthesis.bitstream import pack
from ..synthesis.cells import keep_borders
from ..synthesis.devices import FAMILIES, PINS, find_device
from ..synthesis.floorplan import keep_banks_together
from ..synthesis.place import NETLIST, place, placed_name
from ..synthesis.tools import YOSYS, ToolError, require, run
from .boards import BoardTop, find_board
from .uart import divisor

__all__ = ["FORMAT", "build_board"]

FORMAT = "ranvier.board/1"
TOP = "top"
CORE = f"{TOP}.{BoardTop.CORE}"
SEEDS = 3  # placements that are tried until one meets the clock

# The file of pins that amaranth writes, how it's called in the folder, and how place and route is
# told of it: for Gowin's devices the family's own options do.
_PINS = {
    "ice40": (f"{TOP}.pcf", f"{TOP}.pcf", ("--pcf", f"{TOP}.pcf")),
    "ecp5": (f"{TOP}.lpf", f"{TOP}.lpf", ("--lpf", f"{TOP}.lpf")),
    "gowin": (f"{TOP}.cst", PINS, ()),
}

logger = logging.getLogger(__name__)


def build_board(name, parameters, folder, *, baud):
    """Build the top of a board, and its bitstream if it meets the board's clock.

    Parameters
    ----------
    name : str
        One of `BOARDS`.
    parameters : Parameters
        What the core's memories hold from the start.
    folder : Path
        Is there. The bitstream, ``top.bin``, ``.bit`` or ``.fs``, and all that led to it are
        written there, ``board.json`` last.
    baud : int
        Of the UART, in Hz.

    Returns
    -------
    dict
        What ``board.json`` says, ready for JSON: docs/boards.md explains its keys.

    Raises
    ------
    ValueError
        If there's no such board, or its clock can't make the baud rate.
    RuntimeError
        If a program isn't installed, or Yosys or the packer fails. If place and route does, the
        report says so.
    """
    board = find_board(name)
    device = find_device(board.device)
    family = FAMILIES[device.family]
    require(YOSYS, *family.programs)
    platform = board.make_platform()
    clock = platform.default_clk_frequency
    cycles = divisor(clock, baud)
    top = BoardTop(parameters.config, parameters, cycles=cycles)
    plan = platform.build(top, name=TOP, do_build=False)
    written, kept, _ = _PINS[device.family]
    for source, target in ((f"{TOP}.il", f"{TOP}.il"), (written, kept)):
        write_atomically(folder / target, plan.files[source].encode())
    bitstream = f"{TOP}{family.ending}"
    (folder / bitstream).unlink(missing_ok=True)  # an earlier design's
    cells = _netlist(device, family, folder)
    many = keep_banks_together(device, folder, CORE)
    needed = {kind: sum(part[kind] for part in cells.values()) for kind in family.cells}
    lacking = {kind: [needed[kind], has] for kind, has in device.has.items() if needed[kind] > has}
    placed, reason = None, ""
    if not lacking:
        placed, reason = _best_place(device, folder, clock / 1e6, many)
    met = placed is not None and placed["fmax_mhz"] * 1e6 >= clock
    if met:
        pack(device, folder, placed_name(placed["seed"]), bitstream)
    report = {
        "format": FORMAT,
        "board": name,
        "part": device.part,
        "parameters": parameters.hash,
        "clock_mhz": clock / 1e6,
        "baud": baud,
        "cells": cells,
        "has": device.has,
        "lacking": lacking,
        "placed": placed,
        "met": met,
        "reason": reason,
        "bitstream": bitstream if met else None,
        "versions": {package: version(package) for package in (
            "amaranth-boards", YOSYS[0], *(program[0] for program in family.programs))},
    }
    write_atomically(folder / "board.json", (json.dumps(report, indent=1) + "\n").encode())
    return report


def _netlist(device, family, folder):
    """Make the netlist; returns the cells by kind of the core, and of what is around it."""
    logger.info("board: Yosys")
    keep = keep_borders((folder / f"{TOP}.il").read_text(encoding="utf-8"), CORE)
    script = (f"read_rtlil {TOP}.il\n{family.prepare}\n{keep}\n"
              f"{family.synthesis} {device.synthesis} -top {TOP} -json {NETLIST}\n")
    (folder / f"{TOP}.ys").write_text(script, encoding="utf-8")
    run(YOSYS, ["-q", "-l", f"{TOP}.rpt", f"{TOP}.ys"], folder)
    modules = json.loads((folder / NETLIST).read_text(encoding="utf-8"))["modules"]
    cells = {"core": Counter(), "link": Counter()}
    for module, content in modules.items():
        part = "core" if module.startswith(CORE) else "link"
        cells[part].update(family.kind(cell["type"]) for cell in content["cells"].values())
    return {part: {kind: kinds[kind] for kind in family.cells} for part, kinds in cells.items()}


def _best_place(device, folder, target, many):
    """Place and route until the clock is met; returns the best place or None, and what failed."""
    best = None
    options = _PINS[device.family][2]
    for seed in range(1, SEEDS + 1):
        logger.info("board: place and route from seed %d", seed)
        try:
            placed, _ = place(device, folder, seed, target=target, options=options,
                              many=many)
        except ToolError as error:
            return best, str(error)
        best = max(best or placed, placed, key=lambda one: one["fmax_mhz"])
        if best["fmax_mhz"] >= target:
            break
    return best, ""
