"""Maps of defective bits of a core's weight memories, as tests of a device find them."""

import csv
from pathlib import Path

import numpy as np

from ...hw.images import synapse_places
from ...model.parameters import Parameters

__all__ = ["HEADER", "read_fault_map"]

HEADER = ("bank", "address", "bit", "value", "level")
_HIGHEST = 1 << 31


def read_fault_map(path: Path, parameters: Parameters) -> np.ndarray:
    """Read which bits of the weight memories of a design are defective.

    A CSV file with `HEADER` as its first line, and a line for each bit: the bank whose memory
    ``weights`` it's in, address, bit (0 is the lowest, check bits are above), the value that it
    always reads as, 0 or 1, and the level from which on it does so. A level is a whole number of
    at least 1 of whatever the test varied, such as mV below the rated voltage.

    Returns
    -------
    int64 array (bits, 4)
        Synapse, bit, value, level, by synapse and bit. Addresses without a synapse are left out.

    Raises
    ------
    ValueError
        If there's no such file, or it's anything else; the text names file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} must be a fault map, and there is no such file")
    config = parameters.config
    bank, word = synapse_places(parameters)
    synapses = {place: i for i, place in enumerate(zip(bank.tolist(), word.tolist(), strict=True))}
    stored = config.code(config.weight_bits).bits
    ranges = ((0, config.banks - 1), (0, _HIGHEST), (0, stored - 1), (0, 1), (1, _HIGHEST))
    found, seen = [], set()
    try:
        with open(path, newline="", encoding="utf-8") as file:
            for line, row in enumerate(csv.reader(file), 1):
                if line == 1:
                    _check_header(row)
                    continue
                *place, bit, value, level = _numbers(row, ranges, line)
                if (*place, bit) in seen:
                    raise ValueError(f"line {line}: each bit must be there once, and bit {bit} of "
                                     f"address {place[1]} in bank {place[0]} was there before")
                seen.add((*place, bit))
                if tuple(place) in synapses:
                    found.append((synapses[tuple(place)], bit, value, level))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}: {error}") from None
    if not seen:
        raise ValueError(f"{path}: a fault map must have at least one bit, not none")
    return np.array(sorted(found), np.int64).reshape(-1, 4)


def _check_header(row):
    if tuple(row) != HEADER:
        raise ValueError(f"line 1 must be {','.join(HEADER)}, not {','.join(row)[:60]!r}")


def _numbers(row, ranges, line):
    if len(row) != len(ranges):
        raise ValueError(f"line {line} must have {len(ranges)} numbers, not {len(row)}")
    numbers = []
    for name, text, (least, most) in zip(HEADER, row, ranges, strict=True):
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
        if not least <= number <= most:
            raise ValueError(f"line {line}: {name} must be a whole number from {least} to {most}, "
                             f"not {text[:20]!r}")
        numbers.append(number)
    return numbers
