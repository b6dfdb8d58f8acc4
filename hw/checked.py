"""Words with check bits: what is read of them, and whether they were bad."""

from typing import NamedTuple

from amaranth.hdl import Cat, Mux, Signal, Value

from .payloads import PROTECTED, Memory, content_shape

__all__ = ["Checked", "checked", "decode"]

# What a word counts as that can't be corrected: a threshold, by which the neuron falls silent.
INSTEAD = {Memory.THETA0: -1}


class Checked(NamedTuple):
    """A word, and whether it's ``corrected`` or ``detected``: None where it has no check bits."""

    value: Value
    corrected: Value | None
    detected: Value | None


def decode(m, word, code):
    """Return what is read of a stored word, and whether it's corrected or detected.

    `ranvier.model.protection` has the codes. Combinational.

    Parameters
    ----------
    m : Module
    word : Value of ``code.bits``
    code : Code
        With check bits.
    """
    word = Value.cast(word)
    value, checks = word[: code.width], word[code.width :]
    differ = Signal(code.check_bits, name="differ")
    corrected, detected = Signal(name="corrected"), Signal(name="detected")
    m.d.comb += differ.eq(checks ^ Cat((value & mask).xor() for mask in code.masks))
    if code.protection == "parity":
        m.d.comb += detected.eq(differ)
        return value, corrected, detected
    flips = Signal(code.width, name="flips")
    m.d.comb += [
        flips.eq(Cat(differ == column for column in code.columns)),
        corrected.eq(flips.any() | Cat(differ == 1 << bit for bit in range(len(differ))).any()),
        detected.eq(differ.any() & ~corrected),
    ]
    return value ^ flips, corrected, detected


def checked(m, config, memory, word):
    """Return a word of ``memory`` as `Checked`; one that's detected counts as 0, or `INSTEAD`.

    Combinational. Where ``memory`` has no check bits, the word is returned as it is.
    """
    if config.protection == "none" or memory not in PROTECTED:
        return Checked(word, None, None)
    content = content_shape(config, memory)
    read, corrected, detected = decode(m, word, config.code(content.width))
    value = Signal(content, name=f"{memory.name.lower()}_checked")
    m.d.comb += value.eq(Mux(detected, INSTEAD.get(memory, 0), read))
    return Checked(value, corrected, detected)
