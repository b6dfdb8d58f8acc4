"""Cores some of whose cells can be made wrong while they run, under CXXRTL."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..hw.core import NeuronCore
from ..hw.synthesis.tools import YOSYS, require, run
from ..hw.verilog import TOP
from ..model.config import CoreConfig
from .cxxrtl import CxxrtlSimulator, source

__all__ = ["MODES", "MutantSimulator", "Netlist", "Output"]

MODES = ("inv", "const0", "const1")
"""What may become of a cell's output: inverted, stuck at 0, stuck at 1. Names of Yosys."""

_CHOICE, _BITS = "mutant", 16
# Nothing drives it but itself: what a strike makes of it stays.
_REGISTER = f"""\
  attribute \\init {_BITS}'{"0" * _BITS}
  wire width {_BITS} \\{_CHOICE}
  cell $dff \\{_CHOICE}_kept
    parameter \\CLK_POLARITY 1'1
    parameter \\WIDTH {_BITS}
    connect \\CLK \\clk
    connect \\D \\{_CHOICE}
    connect \\Q \\{_CHOICE}
  end
"""
_CELLS = """\
read_rtlil core.il
hierarchy -top {top}
proc
flatten
write_rtlil cells.il
write_json cells.json
"""


class Output(NamedTuple):
    """A bit of an output of a cell; ``place`` is the cell's path by names, apart by dots."""

    cell: str
    port: str
    bit: int

    @property
    def place(self):
        return self.cell.removeprefix("$flatten").replace("\\", "")


class Netlist:
    """The cells of a core (adders, multiplexers, registers, ...), whose outputs can be mutated.

    Parameters
    ----------
    config : CoreConfig

    Raises
    ------
    RuntimeError
        If Yosys isn't installed, or fails.

    Members
    -------
    outputs : list of Output
        All bits of outputs of all cells, memories' read ports included.
    """

    def __init__(self, config: CoreConfig):
        require(YOSYS)
        text = source(NeuronCore(config))
        end = text.index("\nend\n", text.index(f"module \\{TOP}\n")) + 1
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "core.il").write_text(text[:end] + _REGISTER + text[end:])
            _yosys(_CELLS.format(top=TOP), folder)
            self._text = Path(folder, "cells.il").read_text()
            cells = json.loads(Path(folder, "cells.json").read_text())["modules"][TOP]["cells"]
        self.outputs = [
            Output(name, port, bit) for name, cell in cells.items() if name != f"{_CHOICE}_kept"
            for port, direction in cell["port_directions"].items() if direction == "output"
            for bit in range(len(cell["connections"][port]))]

    def mutated(self, mutants: Sequence[tuple[Output, str]]) -> str:
        """Return the core as RTLIL text, with outputs that are wrong when they're chosen.

        Parameters
        ----------
        mutants : sequence of (Output, str)
            What is wrong, and how: one of `MODES`. Number n of them, from 1, is chosen by n in
            the register ``mutant``; 0, after power-up, chooses none.
        """
        # A net of which a register drives a part, and a mutant another, would feed back to itself.
        lines = ["read_rtlil cells.il", *(
            f"mutate -ctrl {_CHOICE} {_BITS} {number} -mode {mode} -module \\{TOP} "
            f"-cell {_escaped(output.cell)} -port \\{output.port} -portbit {output.bit}"
            for number, (output, mode) in enumerate(mutants, 1)),
            "splitnets -driver", "write_rtlil mutated.il", ""]
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "cells.il").write_text(self._text)
            _yosys("\n".join(lines), folder)
            return Path(folder, "mutated.il").read_text()


class MutantSimulator(CxxrtlSimulator):
    """Runs a core with mutants, none of which is chosen unless `chosen` strikes it.

    Parameters
    ----------
    parameters : Parameters
    folder : path
        Where compiled cores are kept and found again.
    netlist : Netlist
        Of the parameters' config.
    mutants : sequence of (Output, str)
        As of `Netlist.mutated`.
    """

    def __init__(self, parameters, folder, netlist, mutants):
        self._text = netlist.mutated(mutants)
        super().__init__(parameters, folder)
        self._choice = [register.name for register in self.registers].index(_CHOICE)

    def _source(self):
        return self._text

    def chosen(self, number: int) -> list[tuple[int, int]]:
        """Return which bits of registers (register, bit) a strike flips to choose a mutant."""
        return [(self._choice, bit) for bit in range(_BITS) if number >> bit & 1]


def _yosys(script, folder):
    Path(folder, "script.ys").write_text(script)
    run(YOSYS, ["-q", "script.ys"], folder)


def _escaped(name):
    return name if name.startswith("$") else f"\\{name}"
