"""The netlist that synthesis makes of a core, as Verilog that simulators can run."""

from importlib.resources import files

from amaranth.back import rtlil

from .devices import FAMILIES, find_device
from .tools import YOSYS, require, run

__all__ = ["netlist_source"]

# All cells of iCE40 have models, block RAMs included; those of ECP5's block RAMs are closed.
DEVICE = "up5k"
SCRIPT = """\
read_rtlil core.il
{command} -top {top}
write_verilog -noattr netlist.v
"""


def netlist_source(core, top, folder):
    """Return the Verilog of a core after synthesis for iCE40, with the models of its cells.

    Lookup tables, carries, flip-flops, block RAMs and multipliers are those of `synthesise`,
    without its harness. Ports are named as before.

    Parameters
    ----------
    core : NeuronCore
    top : str
        Its name.
    folder : Path
        Is there; what Yosys reads and writes stays in it.

    Raises
    ------
    RuntimeError
        If Yosys isn't installed or fails.
    """
    require(YOSYS)
    device = find_device(DEVICE)
    command = f"{FAMILIES[device.family].synthesis} {device.synthesis}"
    (folder / "core.il").write_text(rtlil.convert(core, name=top, emit_src=False),
                                    encoding="utf-8")
    (folder / "netlist.ys").write_text(SCRIPT.format(command=command, top=top), encoding="utf-8")
    run(YOSYS, ["-q", "netlist.ys"], folder)
    models = files(YOSYS[1]) / "share/ice40/cells_sim.v"
    return "".join(path.read_text(encoding="utf-8") for path in (folder / "netlist.v", models))
