"""From what place and route wrote to a bitstream."""

from .devices import FAMILIES
from .tools import run

__all__ = ["pack"]


def pack(device, folder, placed, bitstream):
    """Make the bitstream of a design that is placed and routed.

    Parameters
    ----------
    device : Device
        That it was placed on, by its family's program.
    folder : Path
        Where both files are. Programs of WebAssembly see nothing else.
    placed : str
        Name of the file that the program wrote: its option is the family's ``output``.
    bitstream : str
        Name of the file to write.

    Returns
    -------
    str
        What the packer said.

    Raises
    ------
    ToolError
        If it fails.
    """
    family = FAMILIES[device.family]
    names = {"placed": placed, "bitstream": bitstream}
    arguments = [*device.packing, *(part.format(**names) for part in family.packing)]
    return run(family.packer, arguments, folder)
