"""A memory without rules for a word that is read while it's written."""

from types import SimpleNamespace

from amaranth.hdl import Signal
from amaranth.lib.memory import Memory as Storage

__all__ = ["plain_memory"]


def plain_memory(m, name, *, shape, depth, init=(), block=False):
    """Add a memory with a read and a write port to a module, which needs nothing but a block RAM.

    Of a word that is read in the cycle in which it's written, nothing may be expected. Amaranth's
    clocked ports do promise what is read then, for which Yosys compares the addresses and keeps
    the old word: two LUTs per bit, and a LUT behind the memory's output. A register behind an
    unclocked port makes the same memory without that, if an attribute allows it.

    Parameters
    ----------
    m : Module
    name : str
        Of the submodule.
    shape : shape of a word
    depth : int
        Number of words. At least 2: an address without bits makes ill-formed Verilog.
    init : sequence of int
        Its first words. The others are 0.
    block : bool
        Use a block RAM even if it's small.

    Returns
    -------
    read : SimpleNamespace
        ``addr``; ``en``, 1 unless it's assigned; ``data``, from the next cycle on.
    write : WritePort
    """
    style = {"ram_style": "block"} if block else {}
    m.submodules[name] = storage = Storage(
        shape=shape, depth=depth, init=init, attrs={"no_rw_check": 1, **style})
    port = storage.read_port(domain="comb")
    enable = Signal(init=1, name=f"{name}_read")
    word = Signal(shape, reset_less=True, name=f"{name}_word")
    with m.If(enable):
        m.d.sync += word.eq(port.data)
    return SimpleNamespace(addr=port.addr, en=enable, data=word), storage.write_port()
