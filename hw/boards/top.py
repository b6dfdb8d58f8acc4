"""A core behind the protocol, and behind a UART: what a board's top is, but for its pins."""

from amaranth.hdl import Module, ResetInserter
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..core import NeuronCore
from .engine import Engine
from .uart import Receiver, Transmitter, received

__all__ = ["FramedCore", "SerialCore"]


class FramedCore(wiring.Component):
    """A core and the engine that serves it. Its trace isn't wanted.

    Parameters
    ----------
    config : CoreConfig
    parameters : Parameters, or None
        What the core's memories hold from the start.

    Members
    -------
    rx : In(stream.Signature(received(), always_ready=True))
    tx : Out(stream.Signature(8))
    """

    def __init__(self, config, parameters=None):
        self._core = NeuronCore(config, parameters)
        self._engine = Engine(config=config)
        super().__init__({
            "rx": In(stream.Signature(received(), always_ready=True)),
            "tx": Out(stream.Signature(8)),
        })

    @property
    def parameters(self):
        return self._core.parameters

    def elaborate(self, platform):
        m = Module()
        core, engine = self._core, self._engine
        m.submodules.core = ResetInserter(engine.reset)(core)
        m.submodules.engine = engine
        wiring.connect(m, wiring.flipped(self.rx), engine.rx)
        wiring.connect(m, engine.tx, wiring.flipped(self.tx))
        wiring.connect(m, engine.events, core.i)
        wiring.connect(m, core.o, engine.spikes)
        wiring.connect(m, engine.bus, core.bus)
        m.d.comb += core.trace.ready.eq(1)
        return m


class SerialCore(wiring.Component):
    """A `FramedCore` on two wires.

    Parameters
    ----------
    config : CoreConfig
    parameters : Parameters, or None
    cycles : int
        Cycles of a bit: see `uart.divisor`.

    Members
    -------
    rx : In(1)
    tx : Out(1)
    """

    def __init__(self, config, parameters=None, *, cycles):
        self._framed = FramedCore(config, parameters)
        self._cycles = cycles
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    @property
    def parameters(self):
        return self._framed.parameters

    def elaborate(self, platform):
        m = Module()
        m.submodules.framed = framed = self._framed
        m.submodules.receiver = receiver = Receiver(cycles=self._cycles)
        m.submodules.transmitter = transmitter = Transmitter(cycles=self._cycles)
        wiring.connect(m, receiver.o, framed.rx)
        wiring.connect(m, framed.tx, transmitter.i)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        return m
