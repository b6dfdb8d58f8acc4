"""Scripts that take a core through the makers' own tools, which aren't in pip."""

import os
import re

from ..verilog import TOP

__all__ = ["MAKERS", "PARTS", "write_script"]

VIVADO = """\
# Synthesises, places and routes {top} out of context: its ports lead to no pins. In this folder:
#   vivado -mode batch -source {top}.tcl
cd [file dirname [file normalize [info script]]]
set part "{part}"
read_verilog "{verilog}"
read_xdc {top}.xdc
synth_design -top {top} -part $part -mode out_of_context
opt_design
place_design
route_design
report_utilization -file utilisation.txt
report_utilization -hierarchical -append -file utilisation.txt
report_timing_summary -max_paths 10 -file timing.txt
"""

QUARTUS = """\
# Synthesises, places and routes {top} with virtual pins: only its clock is a pin. In this folder:
#   quartus_sh -t {top}.tcl
#   quartus_sta -t timing.tcl
cd [file dirname [file normalize [info script]]]
load_package flow
load_package device
set part "{part}"
project_new {top} -overwrite
set_global_assignment -name FAMILY [lindex [get_part_info -family $part] 0]
set_global_assignment -name DEVICE $part
set_global_assignment -name TOP_LEVEL_ENTITY {top}
set_global_assignment -name VERILOG_FILE "{verilog}"
set_global_assignment -name SDC_FILE {top}.sdc
set_global_assignment -name PROJECT_OUTPUT_DIRECTORY output
# Each by its name: "-to *" would be compared with every node of the design.
foreach port {{{ports}}} {{
    set_instance_assignment -name VIRTUAL_PIN ON -to $port
}}
execute_flow -compile
file copy -force output/{top}.fit.summary utilisation.txt
project_close
"""

TIMING = """\
cd [file dirname [file normalize [info script]]]
project_open {top}
create_timing_netlist
read_sdc
update_timing_netlist
report_clock_fmax_summary -file timing.txt
report_timing -setup -npaths 10 -detail full_path -file timing.txt -append
delete_timing_netlist
project_close
"""

CLOCK = "create_clock -name clk -period {period:.3f} [get_ports clk]\n"

MAKERS = {
    "vivado": {"{top}.tcl": VIVADO, "{top}.xdc": CLOCK},
    "quartus": {"{top}.tcl": QUARTUS, "timing.tcl": TIMING, "{top}.sdc": CLOCK},
}
"""Makers' tools, and the files of each: templates by templates of their names."""

PARTS = {"vivado": "xc7a35tcpg236-1", "quartus": "5CSEBA6U23I7"}
"""The part that each takes if none is asked for: those of the Basys 3 and the DE10-Nano."""


def write_script(maker, verilog, folder, *, part=None, period=10.0):
    """Write what a maker's tools need to synthesise, place and route a core.

    Parameters
    ----------
    maker : str
        One of `MAKERS`.
    verilog : Path
        The core's, as `hw.verilog.build` writes it. The script has its path from ``folder``.
    folder : Path
        Is there.
    part : str, optional
        The maker's name of a device, in place of `PARTS`.
    period : float
        Of the clock, in ns.

    Returns
    -------
    list of Path
        The files; the first is the script to run, which begins with the command that does.

    Raises
    ------
    ValueError
        If part or period can't be one.
    """
    part = PARTS[maker] if part is None else part
    if not re.fullmatch(r"[\w-]+", part):
        raise ValueError(f"part must be a maker's name of a device, not {part!r}")
    if not 0.1 <= period <= 1e6:
        raise ValueError(f"period must be from 0.1 ns to 1 ms, not {period:g} ns")
    text = verilog.read_text(encoding="utf-8")
    ports = re.search(rf"^module {TOP}\(([^)]*)\);", text, re.MULTILINE)[1].split(", ")
    ports.remove("clk")
    values = {"top": TOP, "part": part, "period": period, "ports": " ".join(ports),
              "verilog": os.path.relpath(verilog, folder).replace(os.sep, "/")}
    files = []
    for name, template in MAKERS[maker].items():
        path = folder / name.format(**values)
        path.write_text(template.format(**values), encoding="utf-8")
        files.append(path)
    return files
