"""Table words times traces: the one multiplier of a neuron unit, and the tables it reads."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .payloads import TABLE_BITS, LoadSignature, Memory, memory_depth
from .plain import plain_memory

__all__ = ["ScaleSignature", "ScaleUnit", "table_places"]


def table_places(config):
    """Return the address of the first word of each table in the memory of a `ScaleUnit`.

    Only tables that ``config`` needs are there. Fine and sleep tables start at multiples of their
    sizes, so that no adder is needed to find a word of theirs.

    Returns
    -------
    dict of Memory to range
        Addresses of the table's words.
    """
    exponential = config.synapse == "exponential"
    needed = {
        Memory.LOW_M: True,
        Memory.LOW_S: exponential,
        Memory.LOW_A: config.adaptive,
        Memory.SLEEP: exponential,
        Memory.HIGH_M: True,
        Memory.HIGH_S: exponential,
        Memory.HIGH_A: config.adaptive,
    }
    places, end = {}, 0
    for memory in (memory for memory, is_needed in needed.items() if is_needed):
        places[memory] = range(end, end + memory_depth(config, memory))
        end = places[memory].stop
    return places


def _depth(config):
    return max(place.stop for place in table_places(config).values())


class ScaleSignature(wiring.Signature):
    """What a unit that multiplies by table words asks, and gets `ScaleUnit.latency` cycles later.

    Members
    -------
    address : Out
        Where the table word stands: see `table_places`.
    x : Out(signed(config.trace_bits + 17))
    product : In(signed(config.trace_bits + 34))
        The exact product of table word and ``x``.
    """

    def __init__(self, config):
        x_bits = config.trace_bits + TABLE_BITS
        super().__init__({
            "address": Out((_depth(config) - 1).bit_length()),
            "x": Out(signed(x_bits)),
            "product": In(signed(x_bits + TABLE_BITS)),
        })


class ScaleUnit(wiring.Component):
    """Multiplies words by words of the decay and sleep tables, one product per cycle.

    The tables lie one after the other in one memory, since a product needs one word. Table word
    and ``x`` are registered twice (for the word, the first time is the memory's own register), and
    the products with the low and the high part of ``x`` once: their sum is combinational.

    Parameters
    ----------
    config : CoreConfig
    images : dict of Memory to sequence of int, or None
        Initial words of the tables. All 0 with None.

    Members
    -------
    user : In(ScaleSignature(config))
    load : In(LoadSignature(config))
        Writes the tables, a cycle later.
    """

    latency = 3

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        super().__init__({
            "user": In(ScaleSignature(config)),
            "load": In(LoadSignature(config)),
        })

    def _image(self):
        words = [0] * _depth(self._config)
        for memory, place in table_places(self._config).items():
            image = [int(word) for word in self._images.get(memory, [])]
            words[place.start : place.start + len(image)] = image
        return words

    def elaborate(self, platform):
        m = Module()
        x_read = Signal.like(self.user.x)
        x_operand = Signal.like(self.user.x)
        factor = Signal(TABLE_BITS)

        read, write = plain_memory(
            m, "tables", shape=TABLE_BITS, depth=_depth(self._config), init=self._image())
        m.d.comb += read.addr.eq(self.user.address)
        loaded, place_loaded = Signal(), Signal.like(write.addr)
        data = Signal.like(write.data)
        m.d.comb += [write.en.eq(loaded), write.addr.eq(place_loaded), write.data.eq(data)]
        m.d.sync += [loaded.eq(0), data.eq(self.load.data)]
        for memory, place in table_places(self._config).items():
            with m.If((self.load.memory == memory) & (self.load.address < len(place))):
                m.d.sync += [
                    loaded.eq(self.load.en),
                    place_loaded.eq(self.load.address + place.start),
                ]
        # A multiplier of common devices takes a part, and none has to wait for the sum.
        low, high = x_operand[:TABLE_BITS], x_operand[TABLE_BITS:].as_signed()
        product_low = Signal(2 * TABLE_BITS)
        product_high = Signal(signed(len(high) + TABLE_BITS))
        m.d.sync += [
            x_read.eq(self.user.x),
            x_operand.eq(x_read),
            factor.eq(read.data),
            product_low.eq(low * factor),
            product_high.eq(high * factor),
        ]
        m.d.comb += self.user.product.eq(product_low + (product_high << TABLE_BITS))
        return m
