"""Widths and sizes: what all cores have in common, and what follows from the fields of one."""

import math

from .protection import Code

LOW_WORDS = 64  # words of the fine decay table; the coarse one steps by as many ticks
FRACTION = 16  # fractional bits of every table
WAKE_BITS = (7, 10)  # least and most bits of a slot of the wheel that holds pending looks
LOOKUP = 32  # ticks of which it can be asked at once whether anything is due
FEWEST_SLOTS = 2 * LOOKUP  # that a bank's marks tell apart
TILE = 1 << 14  # words of a memory of synapses that lie in one storage: most of a common block RAM

# The cursor buffer: docs/core.md says how these hang together, and what was measured.
WHEEL_TICKS = 8  # ticks of a slot of the time wheel
WHEEL_SLOTS = 256  # slots of the time wheel, at most: a block RAM of 4 Kibit
NEAR_SLOTS = 4 * WHEEL_TICKS  # slots of the ring behind it, where rows are cut into stretches
NEAREST = 2 * WHEEL_TICKS - 1  # ticks, at most, from the sending of a stretch to its first arrival


def _bits(largest):
    """Return the number of bits that hold the unsigned value ``largest``, at least 1."""
    return max(1, int(largest).bit_length())


def chunk_bits(neurons):
    """Return the width of a neuron's number within a chunk of marks, of a bank of ``neurons``.

    A chunk has about as many neurons as the bank has chunks, and 16 at least.
    """
    return max(4, (_bits(neurons - 1) + 1) // 2)


class CoreSizes:
    """The widths and sizes of a `CoreConfig` that follow from its fields."""

    @property
    def tick_us(self):
        """Length of a tick in whole microseconds."""
        return round(self.tick * 1000)

    @property
    def sources(self):
        """Number of sources: input channels, then neurons."""
        return self.inputs + self.neurons

    @property
    def first_output(self):
        """Index of the first output neuron."""
        return self.neurons - self.outputs

    @property
    def spiking(self):
        """Number of neurons that can spike (the first ones)."""
        return self.first_output if self.readout == "leaky" else self.neurons

    @property
    def tick_bits(self):
        """Width of a tick number; holds ``ticks`` itself.

        In a stream it counts modulo a power of two, which all wheels divide. Less than half of it
        is ahead of any tick of a window, and no touch is as long ago as all of it.
        """
        if not self.streaming:
            return _bits(self.ticks)
        cursors = self.wheel_slots * WHEEL_TICKS << self.lap_bits if self.cursors else 1
        wheels = max(FEWEST_SLOTS, *self.wheel_sizes, cursors)
        return max(_bits(2 * self.ticks), _bits(self.forgets_after + self.ticks - 1),
                   _bits(wheels - 1))

    @property
    def forgets_after(self):
        """Ticks after which any trace is 0: the coarse decay tables have ended. In a stream."""
        slowest = self.tau_a if self.adaptive else self.tau_m
        # A word is 0 from 2^-17 on; one more is for what the logarithm may be rounded by.
        ended = (FRACTION + 1) * math.log(2) * slowest / (LOW_WORDS * self.tick)
        return LOW_WORDS * (int(ended) + 2)

    @property
    def channel_bits(self):
        """Width of an input channel; in a stream it holds ``inputs`` itself, which is none."""
        return _bits(self.inputs if self.streaming else self.inputs - 1)

    @property
    def neuron_bits(self):
        """Width of a neuron index."""
        return _bits(self.neurons - 1)

    @property
    def source_bits(self):
        """Width of a source index."""
        return _bits(self.sources - 1)

    @property
    def bank_neurons(self):
        """Neurons in the fullest bank (bank 0)."""
        return -(-self.neurons // self.banks)

    @property
    def local_bits(self):
        """Width of a neuron's index within its bank."""
        return _bits(self.bank_neurons - 1)

    @property
    def delay_bits(self):
        """Width of a delay."""
        return _bits(self.delay_max)

    @property
    def slots(self):
        """Slots of the ring: a power of two above the longest delay that it sees."""
        if self.buffer == "ring":
            return 1 << _bits(self.delay_max)
        if self.delays == "synaptic":
            return NEAR_SLOTS
        return 1 << _bits(NEAREST + self.dendritic_max)

    @property
    def wheel_sizes(self):
        """Slots of a bank's wheels of marks: of arrivals and, where neurons look, of looks."""
        if self.synapse == "jump":
            return (self.slots,)
        return (self.slots, 1 << self.wake_bits)

    @property
    def wake_bits(self):
        """Width of a slot of the wheel of looks, which spans ``tau_s`` where it may.

        A pause is shorter than the wheel is long.
        """
        least, most = WAKE_BITS
        return min(max(_bits(self.tau_s / self.tick), least), most)

    @property
    def slope_bits(self):
        """Fractional bits of a slope of the sleep rule: see ``tables.sleep_table``."""
        return min(int(-math.log2(-math.expm1(-self.tick / self.tau_s))), self.wake_bits)

    @property
    def cursor_bits(self):
        """Width of a cursor's number."""
        return _bits(self.cursors - 1)

    @property
    def pointer_bits(self):
        """Width of what a cursor points to: a synapse's place in its bank, or a row's number."""
        if self.delays == "synaptic":
            return _bits(self.synapses - 1)
        return self.source_bits + self.segment_bits

    @property
    def segment_bits(self):
        """Width of a row's number among those of its source."""
        return (self.segments - 1).bit_length()

    @property
    def dendrite_bits(self):
        """Width of the number by which a row says which of its targets' dendritic delays count."""
        return (self.dendrites - 1).bit_length() if self.dendrites else 0

    @property
    def dendritic_bits(self):
        """Width of a dendritic delay."""
        return _bits(self.dendritic_max)

    @property
    def cuts_rows(self):
        """Whether rows are sorted by delay and cut into stretches: cursors point into them."""
        return self.buffer == "cursor" and self.delays == "synaptic"

    @property
    def row_words(self):
        """Words of a bank's rows: one each, and one more where a row ends at the next one."""
        return self.sources * self.segments + (not self.cuts_rows)

    @property
    def row_bits(self):
        """Width of a row's word, check bits apart."""
        if self.cuts_rows:
            return self.pointer_bits + self.delay_bits
        return (self.synapses.bit_length() + self.delay_bits * (self.delays != "synaptic")
                + self.local_bits * (self.rows == "dense") + self.dendrite_bits)

    @property
    def link_bits(self):
        """Width of what a synapse has of its own but for the weight, check bits apart; or 0."""
        if self.cuts_rows:
            return self.local_bits + self.gap_bits + 1
        return (self.local_bits * (self.rows == "sparse")
                + self.delay_bits * (self.delays == "synaptic"))

    @property
    def gap_bits(self):
        """Width of the difference between two delays."""
        return _bits(self.delay_max - 1)

    @property
    def wheel_slots(self):
        """Slots of the time wheel of the cursor buffer. A power of two."""
        needed = max(2 * LOOKUP, 1 << (self.delay_max - 1).bit_length())
        return min(WHEEL_SLOTS, needed // WHEEL_TICKS)

    @property
    def slot_bits(self):
        """Width of a slot of the time wheel."""
        return _bits(self.wheel_slots - 1)

    @property
    def lap_bits(self):
        """Width of the number by which the time wheel tells its laps apart."""
        return _bits((self.delay_max - 1) // (self.wheel_slots * WHEEL_TICKS))

    def code(self, width):
        """Return the `Code` of words of a width, in a memory that's protected."""
        return Code(self.protection, width)

    @property
    def totals(self):
        """Number of counters: two more tell of bad words, where any can be told."""
        return 12 + 2 * (self.protection != "none")

    @property
    def counting_cycles(self):
        """Most cycles from what is counted to the counter that has it: all take turns."""
        return 2 * self.totals + 5

    @property
    def relays(self):
        """Registers on each wire to or from a bank: one from 8 banks on, which are far apart."""
        return int(self.banks >= 8)

    @property
    def sum_bits(self):
        """Width of the exact sum of one tick's arrivals at one neuron."""
        return self.weight_bits + (self.fan_in - 1).bit_length()

    @property
    def readout_bits(self):
        """Width of a leaky output's integral, exact over a whole sample."""
        return self.sum_bits + FRACTION + 1 + _bits(self.ticks)

    @property
    def threshold_bits(self):
        """Width of a threshold and of its rise: from 0 to ``trace_top``."""
        return self.trace_bits - 1

    @property
    def trace_top(self):
        """Largest value of a trace."""
        return (1 << (self.trace_bits - 1)) - 1

    @property
    def weight_top(self):
        """Largest weight; the smallest is ``-weight_top`` (the range is symmetric)."""
        return (1 << (self.weight_bits - 1)) - 1
