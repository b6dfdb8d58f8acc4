"""Every proof, at the size of a core."""

from dataclasses import replace

from ...model.config import CoreConfig
from ...model.protection import Code
from ...model.sizes import FRACTION, LOOKUP
from ..decay import DecayUnit
from ..payloads import TABLE_BITS, synapse, trace_record
from .arithmetic import rounds, saturates
from .checked import corrects, detects
from .cursor import cursors_fetched
from .decay import decay_exact
from .delays import delays_added
from .divide import divide_exact
from .groups import busy_right
from .memories import cleared_words, updated_words
from .proof import Proof
from .registers import errors_stick, writes_refused
from .relay import relay_keeps
from .ring import sums_kept
from .rows import rows_once
from .scale import scale_exact
from .scheduler import schedule_kept
from .sleep import sleep_exact
from .slots import marks_once
from .streams import broadcast_once, buffer_order, merge_fair, merge_order
from .touch import touch_exact
from .walk import stretches_walked
from .wheel import cursors_kept
from .wheelport import slots_begun

__all__ = ["SHIPPED", "catalogue"]

SHIPPED = CoreConfig(
    inputs=700, neurons=148, outputs=20, readout="leaky", tick=1.0, ticks=1400, tau_m=30.0,
    tau_s=5.0, tau_a=200.0, delay_max=300, fan_in=848, synapses=1 << 15, weight_bits=8,
    trace_bits=18, guard_bits=6, banks=4)
"""The core of examples/shd.toml: 128 adaptive neurons, 20 leaky outputs, delays up to 300 ticks."""


def catalogue(config=SHIPPED):
    """Return all proofs at the size of a config, whose kinds of readout and synapse don't count.

    Returns
    -------
    list of Proof
    """
    config = replace(config, readout="leaky", synapse="exponential", adaptive=True)
    sum_bits = config.sum_bits + config.guard_bits
    return [
        *_streams(config),
        Proof("memory-words", cleared_words,
              {"bits": 3 * config.trace_bits + config.tick_bits, "depth": config.bank_neurons,
               "rest": 0}),
        Proof("memory-updates", updated_words,
              {"bits": config.sum_bits, "depth": config.bank_neurons * config.slots}, depth=5),
        Proof("memory-parts", updated_words,
              {"bits": config.sum_bits, "depth": 1 << config.bank_neurons.bit_length(), "more": 3},
              depth=5),
        *_marks(config),
        Proof("delays-added", delays_added, {"config": _dendritic(config)}),
        *(Proof(name, rows_once, {"config": one}, depth=2) for name, one in _rows(config)),
        *_cursors(config),
        Proof("sums", sums_kept, {"config": config}, depth=6),
        Proof("schedule", schedule_kept, {"config": config}, whole=True),
        Proof("schedule-relays", schedule_kept, {"config": _relayed(config)}, whole=True),
        Proof("relay", relay_keeps, {"config": config}, depth=2),
        Proof("schedule-stream", schedule_kept, {"config": replace(config, streaming=True)},
              whole=True),
        Proof("writes-refused", writes_refused, {"config": config}),
        Proof("errors-stick", errors_stick, {"config": config}, depth=2),
        Proof("saturation", saturates,
              {"bits": max(config.trace_bits, sum_bits) + 1, "width": config.trace_bits}),
        Proof("rounding", rounds,
              {"bits": config.trace_bits + 2 * TABLE_BITS, "amount": 2 * FRACTION}),
        Proof("secded-weights", corrects, {"code": Code("secded", config.weight_bits)}),
        Proof("secded-thresholds", corrects, {"code": Code("secded", config.threshold_bits)}),
        Proof("parity", detects, {"code": Code("parity", config.threshold_bits)}),
        *_arithmetic(config),
    ]


def _streams(config):
    merge = {"bits": trace_record(config).size, "count": config.banks}
    return [
        Proof("merge-order", merge_order, merge),
        Proof("merge-fair", merge_fair, merge),
        Proof("broadcast-once", broadcast_once,
              {"bits": config.source_bits, "count": config.banks}),
        Proof("buffer-order", buffer_order, {"bits": synapse(config).size}),
    ]


def _marks(config):
    size, one = ({"sizes": kind.wheel_sizes, "neurons": config.bank_neurons}
                 for kind in (config, _jump(config)))
    # The depth flushes the memories' pipeline.
    return [
        Proof("marks", marks_once, size, depth=5),
        Proof("marks-jump", marks_once, one, depth=5),
        Proof("marks-shown", busy_right, size, depth=5),
    ]


def _relayed(config):
    return replace(config, banks=8, neurons=max(config.neurons, 8))


def _jump(config):
    return replace(config, synapse="jump", readout="first-spike")


def _dendritic(config):
    return replace(config, delays="axonal+dendritic", dendrites=2,
                   dendritic_max=config.delay_max // 2)


def _rows(config):
    return [
        ("rows-once", config),
        ("rows-axonal", _dendritic(config)),
        # Sums of rows' lengths at any size take the solver too long.
        ("rows-several", replace(config, delays="axonal", segments=2, inputs=4, neurons=4,
                                 outputs=2, synapses=16)),
        ("rows-dense", replace(config, rows="dense", delays="axonal",
                               synapses=config.sources * config.bank_neurons)),
    ]


def _cursors(config):
    # Each cursor has ghosts of its own, so they're few, and the wheel is as short as it may be.
    few = replace(config, buffer="cursor", cursors=4, delay_max=2 * LOOKUP, ticks=100, synapses=4)
    many = replace(config, buffer="cursor", cursors=256)
    return [
        Proof("cursors", cursors_kept, {"config": few}),
        Proof("slots-begun", slots_begun, {"config": many}),
        Proof("stretches", stretches_walked, {"config": many}),
        Proof("cursors-fetched", cursors_fetched, {"config": many}),
    ]


def _arithmetic(config):
    jump = _jump(config)
    touches = [Proof(name, touch_exact, {"config": one}, depth=6)
               for name, one in (("touch", config), ("touch-jump", jump))]
    decays = [Proof(f"decay-{trace}", decay_exact, {"config": config, "trace": trace},
                    depth=DecayUnit.latency + 1) for trace in ("p", "q", "a")]
    return [
        *touches, *decays,
        Proof("sleep", sleep_exact, {"config": config}, depth=5),
        Proof("divide", divide_exact,
              {"bits": config.trace_bits + 1, "quotient_bits": config.wake_bits,
               "fraction_bits": config.slope_bits}),
        Proof("scale", scale_exact, {"config": config}, depth=4),
    ]  # fmt: skip
