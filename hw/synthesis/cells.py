"""The cells that Yosys makes of a core for a device, without placing any."""

import json
import logging
import re

from amaranth.back import rtlil

from ...model.files import write_atomically
from .devices import FAMILIES, find_device
from .harness import Harness
from .tools import YOSYS, require, run

__all__ = ["CORE", "FEWEST_BANKS", "TOP", "add", "core_cells", "count_cells", "keep_borders",
           "many_banks", "unit_cells", "write_design"]

TOP = "harness"
CORE = "core"
DESIGN = "design.il"
FEWEST_BANKS = 16
"""From so many on, banks keep their borders, and have their places on a device."""

logger = logging.getLogger(__name__)


def count_cells(core, name, folder):
    """Count the cells of a core on a device, in a minute or less: nothing is placed.

    Parameters
    ----------
    core : NeuronCore
    name : str
        One of `DEVICES`.
    folder : Path
        Is there; what Yosys reads and writes stays in it.

    Returns
    -------
    dict of str to int
        By kind, as the report of `synthesise` has them.

    Raises
    ------
    ValueError
        If there's no such device.
    RuntimeError
        If Yosys isn't installed or fails.
    """
    device = find_device(name)
    require(YOSYS)
    write_design(core, folder)
    return core_cells(device, folder)


def write_design(core, folder):
    """Write a core behind its `Harness`, for `core_cells` and `unit_cells`."""
    write_atomically(folder / DESIGN, rtlil.convert(
        Harness(core), name=TOP, emit_src=False).encode())


def core_cells(device, folder):
    """Flatten the core and make ``netlist.json``. Returns the core's cells, by kind.

    Its own border stands, so that they're the core's alone; and those of `many_banks`. Registers of
    theirs that are always equal would be merged into one, and lead across the device.
    """
    cells = _netlist(device, folder, "netlist", flatten=True)
    return add(kinds for unit, kinds in cells.items() if unit != TOP)


def keep_borders(design, core):
    """Return Yosys's command that keeps the borders of a core, of `many_banks` and of their relays.

    ``design`` is the text of RTLIL that it reads, and ``core`` the name of the core's module.
    """
    modules = re.findall(r"^module \\(\S+)$", design, re.M)
    kept = [core, *many_banks(modules, core), *many_banks(modules, core, unit="relay")]
    return " ".join(["setattr -mod -set keep_hierarchy 1", *kept])


def many_banks(modules, core, unit="bank"):
    """Return which modules are the banks of a core, in their order; none if they're too few.

    Or their relays, as ``unit`` says.
    """
    found = {int(match[1]): match[0] for module in modules if (
        match := re.fullmatch(rf"{re.escape(core)}\.{unit}_(\d+)", module))}
    return [found[bank] for bank in sorted(found)] if len(found) >= FEWEST_BANKS else []


def unit_cells(device, folder):
    """Make ``units.json``, in which every border stands.

    Returns the cells of each unit by kind, the harness's own first. They sum up to somewhat more
    than those of the core.
    """
    return _netlist(device, folder, "units", flatten=False)


def _netlist(device, folder, name, *, flatten):
    """Make a netlist; returns the cells of each module by kind, the harness's own first."""
    logger.info("synthesis: Yosys, %s", "flattened" if flatten else "unit by unit")
    family = FAMILIES[device.family]
    design = (folder / DESIGN).read_text(encoding="utf-8")
    keep = keep_borders(design, f"{TOP}.{CORE}") if flatten else ""
    command = f"{family.synthesis} {device.synthesis}" + ("" if flatten else " -noflatten")
    script = (f"read_rtlil {DESIGN}\n{family.prepare}\n{keep}\n{command} -top {TOP}\n"
              f"{family.finish.format(top=TOP)}\nwrite_json {name}.json\n")
    (folder / f"{name}.ys").write_text(script, encoding="utf-8")
    said = run(YOSYS, ["-q", f"{name}.ys"], folder)
    (folder / f"{name}.log").write_text(said, encoding="utf-8")
    modules = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["modules"]
    return {
        _unit(module): _kinds(family, content["cells"])
        for module, content in modules.items()
        if module == TOP or module.startswith(f"{TOP}.")
    }


def _unit(module):
    """Return a module's place in the core; a number may have made its name unique."""
    return re.sub(r"\$\d+$", "", module.removeprefix(f"{TOP}."))


def _kinds(family, cells):
    """Count cells, as a netlist in JSON has them, by kind."""
    found = dict.fromkeys(family.cells, 0)
    for cell in cells.values():
        kind = family.kind(cell["type"])
        if kind is not None:
            found[kind] += 1
    return found


def add(counts):
    """Return the sum of dicts of counts with the same keys."""
    total = {}
    for count in counts:
        for kind, value in count.items():
            total[kind] = total.get(kind, 0) + value
    return total
