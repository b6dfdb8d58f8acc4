"""A design as a core reads it when bits of its memories have flipped."""

from dataclasses import replace

import numpy as np

from .cursors import bank_order, cut_rows
from .protection import flip, read_weights
from .rows import bank_rows

MEMORIES = ("rows", "weights", "links", "theta0", "beta", "dendrites")


def disturbed(parameters, flips):
    """Return a design as its core reads it after bits of its memories have flipped.

    A bad word that isn't corrected: a weight, a rise and a dendritic delay are 0; a threshold is
    the largest there is; a synapse with a bad link isn't there, nor are those after it in the row
    where rows are cut into stretches; a row with a bad word, or before one, is empty.

    Parameters
    ----------
    parameters : Parameters
    flips : dict of str to (flips, 2) ints
        Which bits of the words of some `MEMORIES` flip: place of the word, and bit (0 the lowest,
        check bits are above). Places are numbers of synapses in ``weights`` and ``links``; of
        neurons in ``theta0`` and ``beta``, in ``dendrites`` times ``config.dendrites``, and the
        kind; in ``rows`` of banks times ``config.row_words``, and the word.

    Returns
    -------
    disturbed : Parameters
        Of the same config.
    readings : dict of str to Reading
        Of each of the memories that ``flips`` names. ``values`` are only those of ``weights``: of
        the others they're the bits in which a word is read wrong.

    Raises
    ------
    ValueError
        If there's no such memory, or the core would leave its contract with what it reads: wrong
        words of rows, or of cursors' links, that aren't detected; values out of their range.
    """
    config, readings = parameters.config, {}
    there = np.ones(parameters.weight.size, bool)
    for name, where in flips.items():
        if name == "weights":
            readings[name] = read_weights(config, parameters.weight, where)
            weight = readings[name].values
            if config.rows == "dense":  # a weight of 0 is no synapse
                there &= weight != 0
                weight = np.where(weight == 0, parameters.weight, weight)
            parameters = replace(parameters, weight=weight)
            continue
        if name not in MEMORIES:
            raise ValueError(f"Flips must be in {', '.join(MEMORIES)}, not in {name!r}")
        words, bits = words_and_bits(parameters, name)
        # Codes are linear: what is wrong of a word doesn't depend on what it holds.
        readings[name] = reading = config.code(bits).decode(flip(np.zeros(words, np.int64), where))
        if name == "rows":
            there &= _rows_there(parameters, reading)
        elif name == "links":
            there &= _links_there(parameters, reading)
            parameters = _relinked(parameters, reading)
        elif name == "dendrites":
            parameters = _redelayed(parameters, reading)
        else:
            instead = config.trace_top if name == "theta0" else 0
            words = np.where(reading.detected, instead, getattr(parameters, name) ^ reading.values)
            parameters = replace(parameters, **{name: words})
    return _without(parameters, ~there), readings


def words_and_bits(parameters, name):
    """Return how many words one of `MEMORIES` has, of all banks, and bits without check bits."""
    config = parameters.config
    return {
        "weights": (parameters.weight.size, config.weight_bits),
        "rows": (config.banks * config.row_words, config.row_bits),
        "links": (parameters.weight.size, config.link_bits),
        "theta0": (config.neurons, config.threshold_bits),
        "beta": (config.neurons, config.threshold_bits),
        "dendrites": (config.neurons * config.dendrites, config.dendritic_bits),
    }[name]


def _sources(parameters):
    return np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))


def _check_detected(name, reading):
    wrong = np.flatnonzero((reading.values != 0) & ~reading.detected)
    if wrong.size:
        raise ValueError(f"Word {wrong[0]} of {name} must be right or known to be bad, not wrong "
                         f"in the bits {reading.values[wrong[0]]:b}: nobody can tell what follows")


def _rows_there(parameters, reading):
    """Return which synapses are in rows whose words are both known, (synapses,) bool."""
    config = parameters.config
    _check_detected("rows", reading)
    bad = reading.detected.reshape(config.banks, config.row_words)
    if not cut_rows(config):
        bad = bad[:, :-1] | bad[:, 1:]
    return ~bad[parameters.target % config.banks, _row(parameters)]


def _row(parameters):
    """Return in which row of its bank each synapse is, (synapses,) int64."""
    config = parameters.config
    row = np.zeros(parameters.weight.size, np.int64)
    if cut_rows(config):
        return _sources(parameters)
    for bank in range(config.banks):
        rows = bank_rows(parameters, bank)
        here = rows.place >= 0
        row[rows.place[here]] = np.repeat(
            np.arange(rows.start.size - 1), np.diff(rows.start))[here]
    return row


def _links_there(parameters, reading):
    """Return which synapses have links that are known, (synapses,) bool; and all before them."""
    config = parameters.config
    if not cut_rows(config):
        return ~reading.detected
    _check_detected("links", reading)
    there = np.ones(parameters.weight.size, bool)
    for bank in range(config.banks):
        source, place = bank_order(parameters, bank)
        bad = np.cumsum(reading.detected[place])
        first = np.searchsorted(source, source)  # of the same row
        there[place] = bad == (bad - reading.detected[place])[first]
    return there


def _relinked(parameters, reading):
    """Return the design with the targets and delays that were read of the ring's links."""
    config = parameters.config
    if cut_rows(config):
        return parameters
    wrong = np.where(reading.detected, 0, reading.values)
    target, delay = parameters.target, parameters.delay
    if config.rows == "sparse":
        local = target // config.banks ^ wrong & ((1 << config.local_bits) - 1)
        target = (local * config.banks + target % config.banks).astype(np.int32)
        wrong = wrong >> config.local_bits
    if config.delays == "synaptic":
        delay = (delay ^ wrong).astype(np.int32)
    return replace(parameters, target=target, delay=delay)


def _redelayed(parameters, reading):
    """Return the design with the dendritic delays that were read."""
    before = parameters.dendritic
    words = np.where(reading.detected, 0, before.ravel() ^ reading.values)
    after = words.reshape(before.shape).astype(np.int32)
    kind = parameters.kind[_sources(parameters)]
    longer = (after - before)[parameters.target, kind]
    return replace(parameters, dendritic=after, delay=parameters.delay + longer)


def _without(parameters, gone):
    """Return the design without some synapses."""
    if not gone.any():
        return parameters
    kept = np.bincount(_sources(parameters)[~gone], minlength=parameters.config.sources)
    return replace(parameters, row_start=np.cumsum([0, *kept], dtype=np.int64), **{
        name: getattr(parameters, name)[~gone] for name in ("target", "weight", "delay")})
