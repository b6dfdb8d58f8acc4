"""A design on a board, as a bitstream: no step of a run, for it needs somebody's board."""

from ...hw.boards.build import build_board
from ...model.parameters import Parameters

__all__ = ["board"]

FOLDER = "board"


def board(run, name, *, baud):
    """Build the top of a board, with the design's parameters in its memories.

    Parameters
    ----------
    run : RunFolder
    name : str
        One of `hw.boards.boards.BOARDS`; also the name of the folder in ``board``.
    baud : int
        Of the serial line, in Hz.

    Returns
    -------
    dict
        See `build_board`.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    folder = run.path / FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    return build_board(name, parameters, folder, baud=baud)
