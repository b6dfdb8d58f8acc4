"""The control of a bank, cycle by cycle: which of its units does what when.

Twin of the gateware's schedule, where `blocks` is that of its results. A `BANK` record holds a
bank's registers; a cycle is `is_idle` and what else is combinational, then `step`. Payloads that
can't change when something happens (weights on their way, records) aren't there. A tick's marks and
sums count from the cycle in which the gateware accepts them: nobody reads them earlier.
"""

import numpy as np

from .arithmetic import FOREVER, decay, size, sleep, touch
from .bank import (
    AGE_BITS,
    ARRIVALS,
    HANDOVER,
    IGNORED,
    IGNORED_CYCLES,
    INTEGRATION_CYCLES,
    INTEGRATIONS,
    LOOKS,
    MARKS,
    NOBODY,
    OTHERS,
    REST,
    SEARCH_CYCLES,
    SEARCHES,
    SPIKES,
    TOUCHES,
    WORD,
)
from .drain import drain, handed_kind, mark, show
from .fetch import fetch_rests, pass_on
from .jit import kernel


@kernel
def is_idle(bank, trace_taken):
    """Return whether all work of the tick is done but what sources may still bring.

    A record that is taken in this cycle is in time.
    """
    fetched = fetch_rests(bank) and not (bank.adds or bank.summed)
    quiet = bank.age == 0 or (bank.age >= bank.visit - 1 > IGNORED_CYCLES - 1
                              and not (bank.spike or bank.record or bank.wake))
    added = not (bank.held or bank.waiting or bank.adding or bank.second or bank.third)
    return (fetched and added and bank.drain == REST and quiet
            and bank.integrating == 0 and (trace_taken or not bank.traced))


@kernel
def step(bank, k, tick, start, look, upcoming, group, foreseen, expected, spike_ready, trace_ready,
         banks, counts):
    """Take bank ``k`` through a cycle, but for its fetch; returns whether that may go on.

    ``start``, ``look``, ``upcoming`` and ``group`` are the scheduler's, and so is the tick that's
    ``foreseen``, or `NOBODY`; it's started if it's ``expected``. The core takes a spike or a record
    if it's ``ready``. The fetch, in the same cycle, comes after it.
    """
    output = bank.due >= banks.spiking[k]
    handed = bank.due != NOBODY and (bank.integrating == 0 if output else bank.age == 0)
    neuron_traced, output_traced = _merge_traces(bank, trace_ready)
    free = bank.drain > OTHERS or (bank.drain == REST and not look) or (
        bank.drain == OTHERS and banks.jump)
    marks = not bank.asked & 1 and (bank.wake or bank.waiting)
    wake_taken = free and marks and bank.wake
    entered = free and marks and not bank.wake
    spare = not marks and (bank.drain > OTHERS or (bank.drain == REST and not (look or start)))
    marked = NOBODY
    if wake_taken:
        marked = mark(k, 1, bank.wakes_at, bank.neuron, banks)
    elif entered:
        word, age = bank.event & WORD, bank.event >> AGE_BITS
        at, target = tick + banks.delay[word] - age, banks.target[word]
        marked = mark(k, 0, at, target, banks)
        banks.sums[k, at & (banks.slots - 1), target] += banks.weight[word]
    counts[MARKS] += wake_taken or entered

    _visit(bank, k, tick, handed and not output, spike_ready, neuron_traced, wake_taken, banks,
           counts)
    _integrate(bank, k, tick, handed and output, output_traced, banks, counts)
    show(bank, k, marked, start, look, upcoming, group, banks, counts)
    drain(bank, k, start, upcoming, foreseen, expected, spare, marked, wake_taken != 0, handed,
          banks, counts)
    bank.asked = handed
    bank.adding = (bank.adding << 1 | entered) & 7
    bank.second, bank.third = wake_taken or entered, bank.second
    return pass_on(bank, entered, banks, counts)


@kernel
def _merge_traces(bank, ready):
    """Merge the records of neurons and outputs; returns which of both is taken."""
    neuron, output = bank.record != 0, bank.integrating == INTEGRATION_CYCLES - 1
    free = ready or not bank.traced
    output_next = output and not (neuron and bank.latest_trace)
    if free:
        bank.traced = neuron or output
        if bank.traced:
            bank.latest_trace = output_next
    return free and neuron and not output_next, free and output_next


@kernel
def _visit(bank, k, tick, accepted, spike_ready, traced, wake_taken, banks, counts):
    """Let the neuron unit accept a neuron, or go on with the one in work."""
    recorded = not bank.record or (banks.jump and traced)
    empty = not bank.spike and recorded and (wake_taken or not bank.wake)
    if spike_ready:
        bank.spike = 0
    if traced:
        bank.record = 0
    if wake_taken:
        bank.wake = 0
    if bank.age == 0:
        if accepted:
            bank.neuron, bank.age = bank.due, 1
            _decide(bank, k, tick, banks, counts)
        return
    age = bank.age
    bank.age += 1
    if bank.visit == IGNORED_CYCLES:
        if age == bank.visit - 1:
            bank.age = 0
        return
    if age == HANDOVER:
        bank.spike, bank.record = bank.fires, bank.touched
    if age == bank.visit - 2:
        bank.wake = bank.wakes_at >= 0
    elif age >= bank.visit - 1:
        bank.age = 0 if empty else age


@kernel
def _decide(bank, k, tick, banks, counts):
    """Do what the visit to the neuron that was accepted does, and say how long it takes."""
    neuron, arrival = bank.neuron, not handed_kind(bank)
    if not arrival and banks.wake[k, neuron] != tick:
        bank.visit = IGNORED_CYCLES
        counts[IGNORED] += 1
        return
    tables, theta0 = banks.tables, banks.theta0[k, neuron]
    rest, trace = tick - banks.last[k, neuron], banks.traces[k, neuron]
    p = decay(trace[0], rest, tables.low_m, tables.high_m)
    q = decay(trace[1], rest, tables.low_s, tables.high_s)
    a = decay(trace[2], rest, tables.low_a, tables.high_a)
    amount = np.int64(0)
    if arrival:
        slot = tick & (banks.slots - 1)
        amount = banks.sums[k, slot, neuron] << banks.guard_bits
        banks.sums[k, slot, neuron] = 0
    p, q, a, fires, _ = touch(p, q, a, arrival, amount, theta0, banks.beta[k, neuron], banks.top,
                              banks.jump)
    bank.fires, bank.touched = fires, arrival or fires
    if arrival or fires:
        trace[0], trace[1], trace[2] = p, q, a
        banks.last[k, neuron] = tick
    bank.visit, bank.wakes_at = banks.visit_cycles, NOBODY
    if not banks.jump:
        pause = sleep(p, q, a, size(trace[0], trace[1], trace[2]), theta0, banks.top,
                      banks.wake_bits, banks.slope_bits, tables.sleep)
        if pause != FOREVER:
            bank.visit += SEARCH_CYCLES + banks.wake_bits
            bank.wakes_at = tick + pause
            counts[SEARCHES] += 1
        banks.wake[k, neuron] = bank.wakes_at
    counts[TOUCHES] += bank.touched
    counts[ARRIVALS] += arrival
    counts[LOOKS] += not arrival
    counts[SPIKES] += fires


@kernel
def _integrate(bank, k, tick, accepted, traced, banks, counts):
    """Let the integrator accept an output, or go on with the one in work."""
    if bank.integrating == 0:
        if accepted:
            bank.integrating = 1
            banks.sums[k, tick & (banks.slots - 1), bank.due] = 0
            counts[INTEGRATIONS] += 1
    elif bank.integrating < INTEGRATION_CYCLES - 1:
        bank.integrating += 1
    elif traced:
        bank.integrating = 0
