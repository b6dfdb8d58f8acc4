"""The schedule of a core: samples, and the ticks in them."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .payloads import input_word

__all__ = ["Scheduler"]


class Scheduler(wiring.Component):
    """Takes a core from tick to tick, and from sample to sample.

    A tick begins with ``start``. Its events go out on ``events``, while the core works. It's over
    when the core has ``settled`` and the next word of ``i`` belongs to a later tick or ends the
    sample. In a tick without work that is the next cycle.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    i : In(stream.Signature(input_word(config)))
        Events sorted by tick, and the end of each sample.
    events : Out(stream.Signature(config.channel_bits))
        Channels with an event in the current tick.
    tick, upcoming : Out(config.tick_bits)
        The current tick, and the next: the number of ticks of the sample that have begun.
    start : Out(1)
        ``upcoming`` becomes the current tick in the next cycle. Combinational.
    settled : In(1)
        All work is done but what ``events`` may still bring, or a sweep is over.
    begin : Out(1)
        A sample begins.
    running : Out(1)
        A sample is being worked on: from the cycle after ``begin`` to ``finished``.
    ticking : Out(1)
        One of its ticks is.
    finish : Out(1)
        The last tick is over: the last words have to be sent. Until ``finished``.
    finished : In(1)
    clear : Out(1)
        A pulse: forget the sample. After a reset too.
    clearing : Out(1)
    dropped : Out(1)
        A word is dropped in this cycle: its tick has passed or doesn't exist, or its channel.
    bad_end : Out(1)
        A pulse: the sample ends at another tick than its last word says. That is, at the current
        one if it's late, and after ``config.ticks`` if it asks for more.
    """

    def __init__(self, *, config):
        self._config = config
        super().__init__({
            "i": In(stream.Signature(input_word(config))),
            "events": Out(stream.Signature(config.channel_bits)),
            "tick": Out(config.tick_bits),
            "upcoming": Out(config.tick_bits),
            "start": Out(1),
            "settled": In(1),
            "begin": Out(1),
            "running": Out(1),
            "ticking": Out(1),
            "finish": Out(1),
            "finished": In(1),
            "clear": Out(1),
            "clearing": Out(1),
            "dropped": Out(1),
            "bad_end": Out(1),
        })

    def _sort(self, m):
        """Judge the word at ``i``. Returns whether it's an event of the current tick."""
        word = self.i.p
        legal, now = Signal(), Signal()
        m.d.comb += [
            legal.eq((word.channel < self._config.inputs) & (word.tick < self._config.ticks)
                     & (word.tick >= self.tick)),
            now.eq(self.i.valid & ~word.last & legal & (word.tick == self.tick)),
            self.dropped.eq(self.ticking & self.i.valid & ~word.last & ~legal),
            self.events.payload.eq(word.channel),
            self.events.valid.eq(self.ticking & now),
        ]
        return now

    def elaborate(self, platform):
        m = Module()
        word = self.i.p
        now = self._sort(m)
        over, enough = Signal(), Signal()
        m.d.comb += [
            over.eq(self.settled & self.i.valid & ~now & ~self.dropped),
            enough.eq(word.last & ((word.tick <= self.upcoming)
                                   | (self.upcoming >= self._config.ticks))),
        ]
        with m.If(self.start):
            m.d.sync += [self.tick.eq(self.upcoming), self.upcoming.eq(self.upcoming + 1)]

        with m.FSM(init="RESET"):
            with m.State("RESET"):
                m.d.comb += self.clearing.eq(1)
                m.d.sync += [self.tick.eq(0), self.upcoming.eq(0)]
                with m.If(self.settled):
                    m.d.comb += self.clear.eq(1)
                    m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.comb += self.clearing.eq(1)
                with m.If(self.settled):
                    m.next = "READY"
            with m.State("READY"):
                with m.If(self.i.valid):
                    m.d.comb += self.begin.eq(1)
                    with m.If(word.last & (word.tick == 0)):
                        m.d.comb += self.i.ready.eq(1)
                        m.next = "LAST"
                    with m.Else():
                        m.d.comb += self.start.eq(1)
                        m.next = "TICK"
            with m.State("TICK"):
                m.d.comb += [
                    self.running.eq(1),
                    self.ticking.eq(1),
                    self.i.ready.eq(self.dropped | self.events.valid & self.events.ready),
                ]
                with m.If(over & enough):
                    m.d.comb += [
                        self.i.ready.eq(1),
                        self.bad_end.eq(word.tick != self.upcoming),
                    ]
                    m.next = "LAST"
                with m.Elif(over):
                    m.d.comb += self.start.eq(1)
            with m.State("LAST"):  # the counters catch up
                m.d.comb += self.running.eq(1)
                m.next = "FINISH"
            with m.State("FINISH"):
                m.d.comb += [self.running.eq(1), self.finish.eq(1)]
                with m.If(self.finished):
                    m.next = "RESET"
        return m
