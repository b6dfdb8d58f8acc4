"""All bit-exact arithmetic and the event loop of the integer model, in one closed file.

Every number is int64; nothing wraps because the config bounds every width (docs/contract.md).
The three traces' tables come as six arrays; `LOW_BITS` and `FRACTION` repeat the constants of
`config`, because numba's cache doesn't see other files (`emulator` checks that they agree).
"""

import numba as nb
import numpy as np

kernel = nb.njit(cache=True, error_model="numpy", nogil=True)  # fastmath and parallel stay off

LOW_BITS = 6
FRACTION = 16
FOREVER = 7  # the last sleep level

# Columns of the counters that `run_sample` fills.
(SATURATIONS, TOUCHES, SPIKES, LOOKS, INPUT_EVENTS, SYNAPTIC_EVENTS, BUSY_TICKS,
 SLEEP_STEPS, INTEGRATIONS) = range(9)
COUNTERS = 9


@kernel
def round_shift(value, bits):
    """Return ``value`` / 2^bits, rounded to nearest with halves up."""
    return (value + (np.int64(1) << np.int64(bits - 1))) >> np.int64(bits)


@kernel
def saturate(value, top):
    """Return ``value`` limited to -top - 1 .. top."""
    return min(max(value, -top - 1), top)


@kernel
def decay(value, ticks, low, high):
    """Return a trace after ``ticks``: one exact product, one rounding."""
    coarse = ticks >> LOW_BITS
    if coarse >= high.size or value == 0:
        return np.int64(0)
    factor = low[ticks & ((1 << LOW_BITS) - 1)] * high[coarse]
    return round_shift(np.int64(value) * factor, 2 * FRACTION)


@kernel
def sleep(v, q, a, theta0, margin, sleep_q, sleep_a):
    """Return the ticks after which to look again, 0 for never before the next touch."""
    positive_v, positive_q = max(v, np.int64(0)), max(q, np.int64(0))
    for level in range(FOREVER, 0, -1):
        bound = positive_v + ((positive_q * sleep_q[level]) >> FRACTION) + 1 + margin
        if bound < theta0 + ((a * sleep_a[level]) >> FRACTION):
            return np.int64(0) if level == FOREVER else np.int64(1) << np.int64(level)
    return np.int64(1)


@kernel
def sleep_steps(pause):
    """Return the levels that a search for ``pause`` goes through after the first."""
    level = FOREVER
    while level > 1 and pause != 0 and pause < np.int64(1) << np.int64(level):
        level -= 1
    return FOREVER - level


@kernel
def touch(p, q, a, arrival, amount, theta0, beta, top, jump):
    """Apply one touch to decayed traces.

    Returns the new p, q and a, whether the neuron fires, and how many traces saturated.
    ``amount`` is the sum of the tick's arrivals in last places of a trace.
    """
    saturations = 0
    fires = (not jump) and p - q >= theta0 + a
    if fires:
        p = q
    if arrival:
        new_p = saturate(p + amount, top)
        saturations += new_p != p + amount
        p = new_p
        if jump:
            fires = p >= theta0 + a
            if fires:
                p = np.int64(0)
        else:
            new_q = saturate(q + amount, top)
            saturations += new_q != q + amount
            q = new_q
    if fires:
        new_a = saturate(a + beta, top)
        saturations += new_a != a + beta
        a = new_a
    return p, q, a, fires, saturations


@kernel
def _push(source, tick, row_start, target, weight, delay, ring, ring_list, ring_count, ring_in):
    """Spread one spike over the delay ring. Returns its synaptic events."""
    mask = ring.shape[0] - 1
    for s in range(row_start[source], row_start[source + 1]):
        slot = (tick + delay[s]) & mask
        j = target[s]
        if ring_in[slot, j]:
            ring[slot, j] += weight[s]
        else:
            ring_in[slot, j] = True
            ring[slot, j] = weight[s]
            ring_list[slot, ring_count[slot]] = j
            ring_count[slot] += 1
    return row_start[source + 1] - row_start[source]


@kernel
def _due(slot, wake_slot, ring_list, ring_count, ring_in, wake_list, wake_count, wake_in, due):
    """Gather the neurons due in a tick in ascending order. Empties the wake slot."""
    n = ring_count[slot]
    for i in range(n):
        due[i] = ring_list[slot, i]
    for i in range(wake_count[wake_slot]):
        j = wake_list[wake_slot, i]
        wake_in[wake_slot, j] = False
        if not ring_in[slot, j]:
            due[n] = j
            n += 1
    wake_count[wake_slot] = 0
    due[:n].sort()
    return n


@kernel
def run_sample(ticks, channels, duration, inputs, spiking, top, guard_bits, margin, jump, adaptive,
               row_start, target, weight, delay, theta0, beta,
               low_m, high_m, low_s, high_s, low_a, high_a, sleep_q, sleep_a, readout,
               slots, wake_slots, record, counters, first_spike, spike_count, integral):
    """Run one sample from rest.

    ``ticks`` and ``channels`` (events,) are the input, sorted and without repeats; ``record``
    (capacity, 6) receives (tick, neuron, fired, p, q, a) per touch, as many as fit. ``counters``
    (9,), ``first_spike``, ``spike_count`` and ``integral`` (neurons,) are overwritten. Returns the
    number of touches, which may exceed the capacity.
    """
    neurons = theta0.size
    ring = np.zeros((slots, neurons), np.int64)
    ring_list = np.empty((slots, neurons), np.int32)
    ring_count = np.zeros(slots, np.int32)
    ring_in = np.zeros((slots, neurons), np.bool_)
    wake_list = np.empty((wake_slots, neurons), np.int32)
    wake_count = np.zeros(wake_slots, np.int32)
    wake_in = np.zeros((wake_slots, neurons), np.bool_)
    wake_at = np.full(neurons, -1, np.int64)
    due = np.empty(2 * neurons, np.int32)
    fired = np.empty(neurons, np.int32)
    trace_p = np.zeros(neurons, np.int64)
    trace_q = np.zeros(neurons, np.int64)
    trace_a = np.zeros(neurons, np.int64)
    last = np.zeros(neurons, np.int64)
    counters[:] = 0
    first_spike[:] = duration
    spike_count[:] = 0
    integral[:] = 0
    event = 0
    touches = 0

    for tick in range(duration):
        slot, wake_slot = tick & (slots - 1), tick & (wake_slots - 1)
        while event < ticks.size and ticks[event] == tick:
            counters[SYNAPTIC_EVENTS] += _push(channels[event], tick, row_start, target, weight,
                                               delay, ring, ring_list, ring_count, ring_in)
            event += 1
        if ring_count[slot] == 0 and wake_count[wake_slot] == 0:
            continue
        counters[BUSY_TICKS] += 1
        n_fired = 0
        n = _due(slot, wake_slot, ring_list, ring_count, ring_in, wake_list, wake_count, wake_in,
                 due)
        for i in range(n):
            j = due[i]
            arrival = ring_in[slot, j]
            if not arrival and wake_at[j] != tick:
                continue
            fires = False
            if j >= spiking:
                integral[j] += ring[slot, j] * readout[tick]
                counters[INTEGRATIONS] += 1
                p, q, a = integral[j], np.int64(0), np.int64(0)
            else:
                u = tick - last[j]
                p = decay(trace_p[j], u, low_m, high_m)
                q = np.int64(0) if jump else decay(trace_q[j], u, low_s, high_s)
                a = decay(trace_a[j], u, low_a, high_a) if adaptive else np.int64(0)
                amount = ring[slot, j] << guard_bits if arrival else np.int64(0)
                counters[LOOKS] += not arrival
                if arrival or p - q >= theta0[j] + a:
                    p, q, a, fires, saturations = touch(p, q, a, arrival, amount, theta0[j],
                                                        beta[j], top, jump)
                    counters[SATURATIONS] += saturations
                    trace_p[j], trace_q[j], trace_a[j], last[j] = p, q, a, tick
                    touched = True
                else:
                    touched = False
                if not jump:
                    pause = sleep(p - q, q, a, theta0[j], margin, sleep_q, sleep_a)
                    wake_at[j] = tick + pause if pause else -1
                    counters[SLEEP_STEPS] += sleep_steps(pause)
                    if pause:
                        at = wake_at[j] & (wake_slots - 1)
                        if not wake_in[at, j]:
                            wake_in[at, j] = True
                            wake_list[at, wake_count[at]] = j
                            wake_count[at] += 1
                if not touched:
                    continue
            if touches < record.shape[0]:
                record[touches, 0], record[touches, 1] = tick, j
                record[touches, 2] = fires
                record[touches, 3], record[touches, 4], record[touches, 5] = p, q, a
            touches += 1
            if fires:
                fired[n_fired] = j
                n_fired += 1
                spike_count[j] += 1
                first_spike[j] = min(first_spike[j], tick)
        for i in range(ring_count[slot]):
            ring_in[slot, ring_list[slot, i]] = False
        ring_count[slot] = 0
        counters[SPIKES] += n_fired
        for i in range(n_fired):
            counters[SYNAPTIC_EVENTS] += _push(inputs + fired[i], tick, row_start, target, weight,
                                               delay, ring, ring_list, ring_count, ring_in)
    counters[TOUCHES] = touches
    counters[INPUT_EVENTS] = event
    return touches


@kernel
def run_batch(ticks, channels, offsets, duration, inputs, spiking, top, guard_bits, margin, jump,
              adaptive, row_start, target, weight, delay, theta0, beta,
              low_m, high_m, low_s, high_s, low_a, high_a, sleep_q, sleep_a, readout,
              slots, wake_slots, counters, first_spike, spike_count, integral):
    """Run many samples without records; the outputs of `run_sample`, a row per sample."""
    record = np.empty((0, 6), np.int64)
    for i in range(offsets.size - 1):
        events = slice(offsets[i], offsets[i + 1])
        run_sample(ticks[events], channels[events], duration, inputs, spiking, top, guard_bits,
                   margin, jump, adaptive, row_start, target, weight, delay, theta0, beta,
                   low_m, high_m, low_s, high_s, low_a, high_a, sleep_q, sleep_a, readout,
                   slots, wake_slots, record, counters[i], first_spike[i], spike_count[i],
                   integral[i])
