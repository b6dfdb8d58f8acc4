"""Chooses how a design's core stores its rows and delays, by what each way takes in memory."""

import logging
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import numpy as np

from ..model.config import BUFFERS, DELAYS, LATER, MOST_PARTS, ROWS
from ..model.flight import needed_by
from ..model.memory import buffer_memory
from ..model.parameters import Parameters
from ..model.rows import bank_rows, row_delays

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
    ways, rows, found = _ways(design), {}, {}
    for kind in dict.fromkeys(way[1:] for way in ways):
        with _only_asked(design, kind):
            rows[kind] = _store(parameters, *kind)
    needed = _needed([rows[way[1:]] for way in ways if way[0] == "cursor" and way[1:] in rows],
                     samples)
    for buffer, *kind in (way for way in ways if way[1:] in rows):
        stored = rows[tuple(kind)]
        with _only_asked(design, kind):
            found[_name(buffer, *kind)] = stored if buffer == "ring" else _cursors(
                stored, design.cursors, needed[stored.config.delays])
    memory = {name: buffer_memory(one.config) for name, one in found.items()}
    stored = min(found, key=lambda name: memory[name]["bits"])
    config = found[stored].config
    report = {"stored": stored, "cursors": config.cursors,
              "needed": needed.get(config.delays, 0), "memory": memory}
    return found[stored], report


def _ways(design):
    """Return the ways to store that a design asks for: (buffer, rows, delays) each."""
    if design.buffer != "auto":
        return [(design.buffer, design.rows, design.delays)]
    return [way for way in product(BUFFERS, ROWS, DELAYS)
            if way != ("cursor", "dense", "synaptic")]


@contextmanager
def _only_asked(design, way):
    """Let only a way that is asked for fail: of all ways, others remain."""
    try:
        yield
    except ValueError as error:
        if design.buffer != "auto":
            raise
        logger.debug("%s: %s", ", ".join(way), error)


def _name(buffer, *kinds):
    """Return what a way to store is called in reports."""
    defaults = LATER["rows"], LATER["delays"]
    return ", ".join([buffer, *(own for own in kinds if own not in defaults)])


def _with(parameters, **changes):
    return Parameters(**{**vars(parameters), "config": replace(parameters.config, **changes)})


def _store(parameters, rows, delays):
    """Return a design with so much room and so many rows per source as it needs."""
    if (rows, delays) == ("sparse", "synaptic"):
        return parameters
    if delays == "axonal+dendritic":
        parameters, split = _pad(parameters)
    else:
        split = {}
    axonal = delays != "synaptic"
    roomy = _with(parameters, rows=rows, delays=delays, synapses=1 << 26, **split,
                  segments=MOST_PARTS if axonal else 1)
    segments = 1 << int(_most_rows(roomy) - 1).bit_length() if axonal else 1
    words = max(bank_rows(roomy, bank).place.size for bank in range(roomy.config.banks))
    return _with(roomy, synapses=words, segments=segments)


def _pad(parameters):
    """Return a design with as many kinds of dendritic delays as a core can have; its config's."""
    if parameters.dendritic is None:
        raise ValueError(
            "Delays must be trained as axonal+dendritic to be stored so, not in another mode: "
            "store them as synaptic, or as axonal")
    kinds = parameters.dendritic.shape[1]
    dendrites = 1 << (kinds - 1).bit_length()
    padded = np.pad(parameters.dendritic, ((0, 0), (0, dendrites - kinds)))
    return (Parameters(**{**vars(parameters), "dendritic": padded}),
            {"dendrites": dendrites, "dendritic_max": int(padded.max())})


def _most_rows(parameters):
    """Return the most rows that a source has in a bank, where each row has one delay."""
    source = np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))
    bank = parameters.target % parameters.config.banks
    pairs = np.unique(np.stack([bank, source, row_delays(parameters)]), axis=1)[:2]
    return np.unique(pairs, axis=1, return_counts=True)[1].max(initial=1)


def _needed(designs, samples):
    """Return how many cursors samples need, by the delays of designs."""
    by_delays = {parameters.config.delays: parameters for parameters in designs}
    counts = needed_by(list(by_delays.values()), samples) if by_delays else []
    return dict(zip(by_delays, counts, strict=True))


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
