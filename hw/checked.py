"""Words with check bits: what is read of them, and whether they were bad."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Mux, Signal, Value

from ..model.cursors import cut_rows
from .payloads import BAD_WORDS, BANKED, Memory, content_shape, cursor_link

__all__ = ["Checked", "checked", "decode", "encode", "tell"]


class Checked(NamedTuple):
    """A word, and whether it's ``corrected`` or ``detected``: None where it has no check bits."""

    value: Value
    corrected: Value | None
    detected: Value | None

    def when(self, used):
        """Return the word as one that's only bad when it's ``used``."""
        return self._replace(corrected=self.corrected & used, detected=self.detected & used)


def encode(word, code):
    """Return the stored word of a value of ``code.width`` bits. Combinational."""
    word = Value.cast(word)
    return Cat(word, ((word & mask).xor() for mask in code.masks))


def decode(m, word, code, name="word"):
    """Return what is read of a stored word, and whether it's corrected or detected.

    `ranvier.model.protection` has the codes. Combinational.

    Parameters
    ----------
    m : Module
    word : Value of ``code.bits``
    code : Code
        With check bits.
    name : str
        Begins the names of signals.
    """
    word = Value.cast(word)
    value, checks = word[: code.width], word[code.width :]
    differ = Signal(code.check_bits, name=f"{name}_differ")
    detected = Signal(name=f"{name}_detected")
    m.d.comb += differ.eq(checks ^ Cat((value & mask).xor() for mask in code.masks))
    if code.protection == "parity":
        m.d.comb += detected.eq(differ)
        return value, Const(0), detected
    corrected, flips = Signal(name=f"{name}_corrected"), Signal(code.width, name=f"{name}_flips")
    m.d.comb += [
        flips.eq(Cat(differ == column for column in code.columns)),
        corrected.eq(flips.any() | Cat(differ == 1 << bit for bit in range(len(differ))).any()),
        detected.eq(differ.any() & ~corrected),
    ]
    return value ^ flips, corrected, detected


def checked(m, config, memory, word):
    """Return a word of ``memory`` as `Checked`; one that's detected counts as `_instead`.

    Combinational. Where ``memory`` has no check bits, the word is returned as it is.
    """
    if config.protection == "none" or memory not in BANKED:
        return Checked(word, None, None)
    content = content_shape(config, memory)
    name = memory.name.lower()
    read, corrected, detected = decode(m, word, config.code(content.width), name)
    value = Signal(content, name=f"{name}_checked")
    m.d.comb += value.eq(Mux(detected, _instead(config, memory), read))
    return Checked(value, corrected, detected)


def tell(faults, words):
    """Return the statements that count bad words, as `Checked`, in a `payloads.faults`."""
    return [faults[name].eq(sum(getattr(word, name) for word in words)) for name in BAD_WORDS]


def _instead(config, memory):
    """Return what a word counts as that can't be corrected: 0, but where that does harm.

    By the largest threshold a neuron falls silent. A stretch ends at a link that nobody knows.
    """
    if memory == Memory.THETA0:
        return config.trace_top
    if memory == Memory.LINKS and cut_rows(config):
        return 1 << cursor_link(config)["end"].offset
    return 0
