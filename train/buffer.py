"""Chooses how a design's core stores its rows and delays, by what each way takes in memory."""

import logging
from dataclasses import replace
from itertools import product

import numpy as np

from ..model.config import DELAYS, LATER, ROWS
from ..model.flight import needed_cursors
from ..model.memory import buffer_memory
from ..model.parameters import Parameters
from ..model.rows import bank_rows

MARGIN = 2  # cursors there are for each that the samples need

logger = logging.getLogger(__name__)


def choose_buffer(parameters, design, samples):
    """Store a design's rows and delays as it asks for, or with ``auto`` in the fewest bits.

    Parameters
    ----------
    parameters : Parameters
        With the ring, sparse rows and synaptic delays.
    design : DesignConfig
        Its ``buffer``, ``cursors``, ``rows`` and ``delays`` count.
    samples : iterable of TickEvents
        By them the cursors are counted. Not looked at for a ring.

    Returns
    -------
    parameters : Parameters
    report : dict
        Ready for JSON: ``stored``, the way that was taken; ``cursors`` of a bank, and how many the
        samples ``needed``; and what rows and delays of a bank take, by the ways that were
        compared: ``memory``.

    Raises
    ------
    ValueError
        If the design can't be stored as asked for, or the samples need more cursors than there are.
    """
    found, needed = {}, 0
    if design.buffer == "auto":
        for rows, delays in product(ROWS, DELAYS):
            try:
                found[_name(rows, delays)] = _ring(parameters, rows, delays)
            except ValueError as error:
                logger.debug("%s: %s", _name(rows, delays), error)
    elif design.buffer == "ring":
        found[_name(design.rows, design.delays)] = _ring(parameters, design.rows, design.delays)
    if design.buffer != "ring":
        needed = needed_cursors(parameters, samples)
        found["cursor"] = _cursors(parameters, design.cursors, needed)
    memory = {name: buffer_memory(one.config) for name, one in found.items()}
    stored = min(found, key=lambda name: memory[name]["bits"])
    report = {"stored": stored, "cursors": found[stored].config.cursors, "needed": needed,
              "memory": memory}
    return found[stored], report


def _name(rows, delays):
    """Return what a way to store is called in reports."""
    defaults = LATER["rows"], LATER["delays"]
    return ", ".join(["ring", *(own for own in (rows, delays) if own not in defaults)])


def _with(parameters, **changes):
    return Parameters(**{**vars(parameters), "config": replace(parameters.config, **changes)})


def _ring(parameters, rows, delays):
    """Return a design with so much room and so many rows per source as it needs."""
    segments = 1
    if delays == "axonal":
        source = np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))
        bank = parameters.target % parameters.config.banks
        pairs = np.unique(np.stack([bank, source, parameters.delay]), axis=1)[:2]
        most = np.unique(pairs, axis=1, return_counts=True)[1].max(initial=1)
        segments = 1 << int(most - 1).bit_length()
    if (rows, delays) == ("sparse", "synaptic"):
        return parameters
    roomy = _with(parameters, rows=rows, delays=delays, segments=segments, synapses=1 << 26)
    words = max(bank_rows(roomy, bank).place.size for bank in range(roomy.config.banks))
    return _with(roomy, synapses=words)


def _cursors(parameters, cursors, needed):
    """Return a design with the cursor buffer."""
    if cursors is None:
        cursors = 1 << max(1, (MARGIN * needed - 1).bit_length())
    if cursors < needed:
        raise ValueError(f"Design cursors must be at least {needed}, which the samples need, "
                         f"not {cursors}")
    return _with(parameters, buffer="cursor", cursors=cursors)


def memory_lines(report):
    """Return a line of text for each way to store in a report of `choose_buffer`."""
    return [
        f"{name}: rows and delays of a bank take {memory['bits']:,} bits ("
        + ", ".join(f"{count} block RAMs of {family}" for family, count in memory.items()
                    if family != "bits")
        + (")" if name != report["stored"] else "), taken")
        for name, memory in report["memory"].items()]
