"""What synthesis makes of a core, under Verilator, with the testbench of its Verilog."""

import tempfile
from pathlib import Path

from ..hw.synthesis.netlist import netlist_source
from ..hw.verilog import TOP
from .cosim import CocotbSimulator, build

__all__ = ["NetlistSimulator"]

# A netlist is a lot of code that runs for a few cycles. Verilator has its own flags before these.
QUICK = ("-CFLAGS", "-O0")


class NetlistSimulator(CocotbSimulator):
    """Runs a core's netlist for iCE40: LUTs, flip-flops, block RAMs, multipliers.

    Parameters
    ----------
    parameters : Parameters
        Are loaded over the bus.
    folder : path
        Where builds are kept.
    """

    def _design(self, core):
        with tempfile.TemporaryDirectory() as scratch:
            return netlist_source(core, TOP, Path(scratch)), []

    def _build(self, waves):
        return build(self._text, self._folder, self._simulator, waves=waves, arguments=QUICK)

    def run(self, samples, *, expected=None, stall=0.0, seed=0, flips=(), waves=None, lengths=None):
        if len(flips):
            raise ValueError("A netlist's weight memories are in several block RAMs: "
                             "flip bits in the core's Verilog")
        return super().run(samples, expected=expected, stall=stall, seed=seed, waves=waves,
                           lengths=lengths)
