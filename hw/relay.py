"""Registers on the wires between the middle of a core and a bank that is far from it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .bank import BankSignature
from .streams import Buffer

__all__ = ["Relay"]

COMMANDS = ("tick", "start", "next", "foreseen", "expected", "group", "look", "clear")


class Relay(wiring.Component):
    """Stands for a bank in the middle of a core, and keeps to what `Bank` promises.

    No path leads through it but those of ``busy`` and ``count``: commands, loads and sources come
    to the bank a cycle later, ``idle`` and what the bank sends a cycle later to the core. A bank
    sends a spike or a record in a few cycles at most, so each waits in a single register.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    near : Out(BankSignature(config))
        The bank, as the core sees it. ``busy`` tells a cycle later what a ``look`` was for.
    far : In(BankSignature(config))
        To be connected to the bank.
    """

    def __init__(self, *, config):
        bank = BankSignature(config)
        super().__init__({"near": Out(bank), "far": In(bank)})

    def _take(self, m, sent, offered):
        """Take a word that the bank has ``sent``, once the last one is gone, and offer it."""
        m.d.comb += sent.ready.eq(~offered.valid)
        with m.If(~offered.valid):
            m.d.sync += [offered.payload.eq(sent.payload), offered.valid.eq(sent.valid)]
        with m.Elif(offered.ready):
            m.d.sync += offered.valid.eq(0)

    def elaborate(self, platform):
        m = Module()
        near, far = self.near, self.far
        for name in COMMANDS:
            m.d.sync += getattr(far, name).eq(getattr(near, name))
        for name in ("en", "memory", "address", "data"):
            m.d.sync += getattr(far.load, name).eq(getattr(near.load, name))
        m.d.comb += [near.busy.eq(far.busy), near.count.eq(far.count)]
        m.submodules.sources = sources = Buffer(shape=near.i.payload.shape())
        wiring.connect(m, wiring.flipped(near.i), sources.i)
        wiring.connect(m, sources.o, wiring.flipped(far.i))
        self._take(m, far.spikes, near.spikes)
        self._take(m, far.trace, near.trace)

        given = far.start | far.clear | far.i.valid  # the bank isn't idle in the next cycle
        rested = Signal()
        m.d.sync += rested.eq(far.idle & ~given & ~(far.trace.valid & near.trace.valid))
        m.d.comb += near.idle.eq(rested & ~given & ~near.spikes.valid)
        return m
