"""The boards for which tops can be built. A new one is an entry in `BOARDS`."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

from .top import SerialCore

__all__ = ["BAUD", "BOARDS", "Board", "BoardTop", "find_board"]

BAUD = 1_000_000  # every board's clock makes this one exactly


@dataclass(frozen=True)
class Board:
    """A board of amaranth-boards.

    Members
    -------
    title : str
        Its name as its maker writes it.
    module, platform : str
        Where it is in amaranth-boards.
    device : str
        One of `ranvier.hw.synthesis.devices.DEVICES`.
    """

    title: str
    module: str
    platform: str
    device: str

    def make_platform(self):
        """Return the platform, an object of amaranth.

        Raises
        ------
        RuntimeError
            If amaranth-boards isn't installed.
        """
        if find_spec("amaranth_boards") is None:
            raise RuntimeError("amaranth-boards must be installed to build a board's top, and is "
                               "missing: pip install 'ranvier[board]'")
        return getattr(import_module(f"amaranth_boards.{self.module}"), self.platform)()


# Each has a USB bridge on its first UART. The clock is the board's own, without a PLL.
BOARDS = {
    "icebreaker": Board("iCEBreaker", "icebreaker", "ICEBreakerPlatform", "up5k"),
    "ulx3s-85f": Board("ULX3S 85F", "ulx3s", "ULX3S_85F_Platform", "ecp5-85k"),
    "tang-nano-9k": Board("Tang Nano 9K", "tang_nano_9k", "TangNano9kPlatform", "gw1nr-9"),
}


def find_board(name):
    """Return the `Board` called ``name``.

    Raises
    ------
    ValueError
        If there's none; the text names those that there are.
    """
    if name not in BOARDS:
        raise ValueError(f"Board must be one of {', '.join(BOARDS)}, not {name!r}")
    return BOARDS[name]


class BoardTop(Elaboratable):
    """A core on the first UART of a board.

    Parameters
    ----------
    config : CoreConfig
    parameters : Parameters, or None
    cycles : int
        Cycles of a bit on the UART: see `uart.divisor`.
    """

    CORE = "serial.framed.core"  # where the core is below it

    def __init__(self, config, parameters=None, *, cycles):
        self._serial = SerialCore(config, parameters, cycles=cycles)

    def elaborate(self, platform):
        m = Module()
        m.submodules.serial = serial = self._serial
        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [serial.rx.eq(rx.i), tx.o.eq(serial.tx)]
        return m
