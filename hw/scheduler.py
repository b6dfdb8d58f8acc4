"""The schedule of a core: samples, and the ticks in them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .lowest import lowest
from .payloads import GROUP, GROUP_BITS, input_word

__all__ = ["Scheduler"]

LOOK_CYCLES = 6  # from a look at a group to the judgement of what it shows, without relays


class Scheduler(wiring.Component):
    """Takes a core from tick to tick, and from sample to sample.

    A tick begins with ``start``. Its events go out on ``events``, while the core works. It's over
    when the core has ``settled`` and the next word of ``i`` belongs to a later tick or ends the
    sample. The next tick is the first one in which something is due; those before it are passed
    over, a group at a time.

    In a stream (``config.streaming``) tick numbers are those since the reset, modulo
    ``2 ** config.tick_bits``. A sample is a window: the next one starts at the tick at which the
    one before ended, and has at most ``config.ticks``.

    Parameters
    ----------
    config : CoreConfig
    counting : int
        Cycles that the counters need to catch up, before ``finish``. At least 1.

    Members
    -------
    i : In(stream.Signature(input_word(config)))
        Events sorted by tick, and the end of each sample. In a stream, an event of the channel
        ``config.inputs`` only says that its tick has come.
    events : Out(stream.Signature(config.channel_bits))
        Channels with an event in the current tick.
    tick : Out(config.tick_bits)
        The current tick.
    length : Out(config.tick_bits)
        With ``finish``: the number of ticks that the sample had. In a stream the tick at which
        the window has ended; then, and so at ``clear``, ``upcoming`` is the same. Until it's over,
        the tick at which it started.
    start : Out(1)
        ``upcoming`` becomes the current tick in the next cycle. Combinational.
    upcoming : Out(config.tick_bits)
    next : Out(config.tick_bits)
        The next tick with work in the group that was looked at, if it's ``foreseen``.
    foreseen : Out(1)
    expected : Out(1)
        With ``start``: that's the one. Combinational.
    settled : In(1)
        All work is done but what ``events`` may still bring, or a sweep is over.
    group, look : Out
        A group of ticks to look for work in: see `SlotMap`.
    busy : In(GROUP)
        Ticks of that group in which something is due.
    begin : Out(1)
        A sample begins.
    running : Out(1)
        A sample is being worked on: from the cycle after ``begin`` to ``finished``.
    ticking : Out(1)
        One of its ticks is.
    over : Out(1)
        A pulse: the last tick is over.
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

    def __init__(self, *, config, counting):
        self._config = config
        self._counting = counting
        super().__init__({
            "i": In(stream.Signature(input_word(config))),
            "events": Out(stream.Signature(config.channel_bits)),
            "tick": Out(config.tick_bits),
            "length": Out(config.tick_bits),
            "start": Out(1),
            "upcoming": Out(config.tick_bits),
            "next": Out(config.tick_bits),
            "foreseen": Out(1),
            "expected": Out(1),
            "settled": In(1),
            "group": Out(max(1, config.tick_bits - GROUP_BITS)),
            "look": Out(1),
            "busy": In(GROUP),
            "begin": Out(1),
            "running": Out(1),
            "ticking": Out(1),
            "over": Out(1),
            "finish": Out(1),
            "finished": In(1),
            "clear": Out(1),
            "clearing": Out(1),
            "dropped": Out(1),
            "bad_end": Out(1),
        })

    def _before(self, tick, other):
        """Return whether a tick is before another: in a stream, by less than half of a round."""
        if self._config.streaming:
            return (tick - other)[len(self.tick) - 1]
        return tick < other

    def _limit(self, m):
        """Return the first tick that the sample can't have."""
        if not self._config.streaming:
            return self._config.ticks
        limit = Signal.like(self.tick, name="limit")
        m.d.sync += limit.eq(self.length + self._config.ticks)
        return limit

    def _sort(self, m, limit):
        """Judge the word at ``i``.

        Returns whether it's later work, an event or the end, and whether it's done with now.
        """
        word, config = self.i.p, self._config
        legal, now, later = Signal(), Signal(), Signal()
        event, done = now, self.events.valid & self.events.ready
        if config.streaming:
            timely = self._before(word.tick, limit) & ~self._before(word.tick, self.tick)
            m.d.comb += legal.eq((word.channel <= config.inputs) & timely)
            nothing = word.channel == config.inputs
            event, done = now & ~nothing, now & nothing | done
        else:
            m.d.comb += legal.eq((word.channel < config.inputs) & (word.tick < limit)
                                 & (word.tick >= self.tick))
        m.d.comb += [
            now.eq(self.i.valid & ~word.last & legal & (word.tick == self.tick)),
            self.dropped.eq(self.ticking & self.i.valid & ~word.last & ~legal),
            self.events.payload.eq(word.channel),
            self.events.valid.eq(self.ticking & event),
        ]
        m.d.sync += later.eq(self.i.valid & (word.last | (legal & ~now)))
        return later, self.dropped | done

    def _find(self, m, group):
        """Find the next tick with work in a group. Returns whether there's one, and which."""
        busy = Signal(GROUP, name="group_busy")
        passed = Signal(GROUP)
        found, offset = Signal(), Signal(GROUP_BITS)
        left = Signal(GROUP)
        m.d.comb += left.eq(busy & ~passed)
        m.d.sync += [
            busy.eq(self.busy),
            found.eq(left.any()),
            offset.eq(lowest(m, left, "lowest_busy")),
        ]
        with m.If(self.start):  # the ticks of the group up to this one
            m.d.sync += passed.eq((Const(2) << self.upcoming[:GROUP_BITS]) - 1)
        with m.If(self.look):
            m.d.sync += passed.eq(0)
        return found, Cat(offset, group)

    def _choose(self, m, group, found, work, limit):
        """Compare the next tick with work with the word at ``i``.

        Returns whether the work comes first, whether the word does, whether it's too late, and
        how many ticks the sample has if it ends now.
        """
        word = self.i.p
        until, ends = Signal(self._config.tick_bits), Signal(self._config.tick_bits)
        work_first, word_first, late = Signal(), Signal(), Signal()
        m.d.comb += until.eq(word.tick)
        with m.If(self._before(limit, word.tick) if self._config.streaming
                  else word.tick > limit):
            m.d.comb += until.eq(limit)
        m.d.sync += [
            work_first.eq(found & self._before(work, until)),
            word_first.eq(found | (until[GROUP_BITS:] == group)),
            late.eq(0 if self._config.streaming else word.last & (word.tick <= self.tick)),
            ends.eq(until),
        ]
        if self._config.streaming:
            # A late end is put right, as if it were in time: the next window needs its group.
            following = Signal.like(self.tick)
            m.d.comb += following.eq(self.tick + 1)
            with m.If(word.last & self._before(word.tick, following)):
                m.d.comb += until.eq(following)
        return work_first & ~late, word_first, late, Mux(late, self.tick + 1, ends)

    def _rest(self, m, calm, first, group):
        """Add the states between samples: what was is forgotten, the next one awaited."""
        word = self.i.p
        with m.State("RESET"):
            m.d.comb += self.clearing.eq(1)
            if not self._config.streaming:
                m.d.sync += group.eq(0)
            with m.If(calm):
                m.d.comb += self.clear.eq(1)
                m.next = "CLEAR"
        with m.State("CLEAR"):
            m.d.comb += self.clearing.eq(1)
            with m.If(calm):
                m.next = "READY"
        with m.State("READY"):
            with m.If(self.i.valid):
                m.d.comb += self.begin.eq(1)
                with m.If(word.last & (word.tick == first)):
                    m.d.comb += self.i.ready.eq(1)
                    m.d.sync += self.length.eq(first)
                    m.next = "LAST"
                with m.Else():
                    m.d.comb += self.start.eq(1)
                    m.next = "TICK"

    def _run(self, m, group, over, done, work, work_first, word_first, late, ends):
        """Add the states of a sample: its ticks, and looks for the next one with work."""
        look_cycles = LOOK_CYCLES + self._config.relays
        word, looking = self.i.p, Signal(range(look_cycles), name="looking")
        with m.State("TICK"):
            m.d.comb += [
                self.running.eq(1),
                self.ticking.eq(1),
                self.i.ready.eq(done),
                self.upcoming.eq(Mux(work_first, work, word.tick)),
                self.expected.eq(work_first),
            ]
            with m.If(over & (work_first | (word_first & ~word.last))):
                m.d.comb += self.start.eq(1)
            with m.Elif(over & (word_first | late)):
                m.d.comb += [self.i.ready.eq(1), self.bad_end.eq(word.tick != ends)]
                m.d.sync += self.length.eq(ends)
                m.next = "LAST"
            with m.Elif(over):
                m.d.sync += group.eq(group + 1)
                m.next = "LOOK"
        with m.State("LOOK"):
            m.d.comb += [self.running.eq(1), self.ticking.eq(1), self.look.eq(looking == 0)]
            m.d.sync += looking.eq(looking + 1)
            with m.If(looking == look_cycles - 1):
                m.d.sync += looking.eq(0)
                m.next = "TICK"

    def _end(self, m):
        """Add the states in which the counters catch up, and the last words are sent."""
        counted = Signal(range(self._counting), name="counted")
        with m.State("LAST"):
            m.d.comb += [self.running.eq(1), self.over.eq(counted == 0)]
            m.d.sync += counted.eq(counted + 1)
            with m.If(counted == self._counting - 1):
                m.d.sync += counted.eq(0)
                m.next = "FINISH"
        with m.State("FINISH"):
            m.d.comb += [self.running.eq(1), self.finish.eq(1)]
            with m.If(self.finished):
                m.next = "RESET"

    def elaborate(self, platform):
        m = Module()
        calm = Signal()
        group = Signal.like(self.group, name="group_number")
        limit = self._limit(m)
        later, done = self._sort(m, limit)
        found, work = self._find(m, group)
        work_first, word_first, late, ends = self._choose(m, group, found, work, limit)
        over = Signal()
        m.d.sync += calm.eq(self.settled & ~self.start & ~self.clear
                            & ~(self.i.valid & self.i.ready))
        m.d.comb += [
            over.eq(calm & later),
            self.group.eq(group),
            self.next.eq(work),
            self.foreseen.eq(found),
        ]
        with m.If(self.start):
            m.d.sync += self.tick.eq(self.upcoming)
        first = 0
        if self._config.streaming:
            first = self.length
            m.d.comb += self.upcoming.eq(first)

        with m.FSM(init="RESET"):
            self._rest(m, calm, first, group)
            self._run(m, group, over, done, work, work_first, word_first, late, ends)
            self._end(m)
        return m
