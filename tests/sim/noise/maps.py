"""Fault maps as text."""

from ranvier.hw.images import synapse_places

HEADER = "bank,address,bit,value,level\n"


def text_of(rows):
    return HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows)


def file_of(subject, rng):
    """Return the text of the file that has a subject's fault map, in any order."""
    bank, word = synapse_places(subject.parameters)
    rows = [(bank[s], word[s], bit, value, level) for s, bit, value, level in subject.fault_map]
    return text_of(rng.permutation(rows))
