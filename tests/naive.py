"""The slow and obvious oracle: docs/contract.md in plain Python integers, polling every tick."""

from math import exp, floor

import numpy as np


def round_shift(value, bits):
    return (value + 2 ** (bits - 1)) // 2**bits


def saturate(value, bits):
    return min(max(value, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


def decay_words(config, tau):
    low = [floor(65536 * exp(-u * config.tick / tau) + 0.5) for u in range(64)]
    high = []
    while config.streaming or 64 * len(high) < config.ticks:
        word = floor(65536 * exp(-64 * len(high) * config.tick / tau) + 0.5)
        if word == 0:
            break
        high.append(word)
    return low, high


def decay(value, ticks, words):
    low, high = words
    if ticks // 64 >= len(high):
        return 0
    return round_shift(value * low[ticks % 64] * high[ticks // 64], 32)


def sleep(p, q, a, stored, theta0, config, words):
    """Return after how many ticks to look again, or None if there's no need."""
    peak, by_q, by_p, by_a = (int(word) for word in words)
    size = 0
    for trace in stored:
        size |= trace if trace >= 0 else -1 - trace
    room = theta0 - max(p - q, 0) - size // 2**13 - 7
    if room >= max(q, 0) * peak // 65536:
        return None
    slope = max(q * by_q // 65536 - p * by_p // 65536 + 1, 0) + a * by_a // 65536 + 1
    slope %= 2 ** (config.trace_bits + 1)  # of an A that an upset has made negative
    longest = 2**config.wake_bits - 1
    if slope == 0:
        return longest if room + a >= 0 else 1
    return min(max(room + a, 0) * 2**config.slope_bits // slope + 1, longest)


class Neuron:
    """One neuron's state, with the contract's touch."""

    def __init__(self, theta0, beta):
        self.theta0, self.beta = theta0, beta
        self.p = self.q = self.a = self.last = self.saturations = 0
        self.forgotten = -1  # what was touched up to this tick is 0, for the sleep rule
        self.wake, self.asked, self.looks, self.searches = None, set(), 0, 0

    def _limit(self, value, config):
        limited = saturate(value, config.trace_bits)
        self.saturations += limited != value
        return limited

    def decayed(self, tick, config, tables):
        u = tick - self.last
        return (decay(self.p, u, tables[0]),
                decay(self.q, u, tables[1]) if config.synapse == "exponential" else 0,
                decay(self.a, u, tables[2]) if config.adaptive else 0)

    def upset(self, site, mask, config):
        """Flip bits of P, Q or A in two's complement."""
        top = 2 ** (config.trace_bits - 1)
        value = (getattr(self, site) % (2 * top)) ^ mask
        setattr(self, site, value - 2 * top * (value >= top))

    def step(self, tick, arrivals, config, tables, *, polls=True):
        """Poll the neuron at a tick. Returns its record, or None where it isn't touched.

        Unless it ``polls``, it looks when the sleep rule says so.
        """
        if not (polls or arrivals or self.wake == tick):
            return None
        p, q, a = self.decayed(tick, config, tables)
        fires = False
        if config.synapse == "exponential":
            fires = p - q >= self.theta0 + a
            if fires:
                p = q
                a = self._limit(a + self.beta, config)
        if not fires and not arrivals:
            return None
        if arrivals:
            amount = sum(arrivals) * 2**config.guard_bits
            p = self._limit(p + amount, config)
            if config.synapse == "exponential":
                q = self._limit(q + amount, config)
            elif p >= self.theta0 + a:
                fires = True
                p = 0
                a = self._limit(a + self.beta, config)
        self.p, self.q, self.a, self.last = p, q, a, tick
        return (tick, fires, p, q, a)

    def rest(self, tick, arrivals, config, tables, sleep_words):
        """Follow the sleep rule after a `step`, for what it counts."""
        if config.synapse == "jump" or not (arrivals or self.wake == tick):
            return
        self.looks += not arrivals
        p, q, a = self.decayed(tick, config, tables)
        stored = (self.p, self.q if config.synapse == "exponential" else 0, self.a)
        if self.last <= self.forgotten:
            stored = (0, 0, 0)
        wait = sleep(p, q, a, stored, self.theta0, config, sleep_words)
        self.searches += wait is not None
        self.wake = None if wait is None else tick + wait
        self.asked.add(self.wake)


def run(parameters, ticks, channels):
    """Return (records, decision, saturations) of one sample; records are tuples by tick, neuron."""
    records, decision, counters = count(parameters, ticks, channels)
    return records, decision, counters[0]


def count(parameters, ticks, channels, upsets=()):
    """Return (records, decision, counters) of one sample; counters as the emulator orders them."""
    [result] = stream(parameters, [(ticks, channels, parameters.config.ticks)], upsets)
    return result


def stream(parameters, windows, upsets=()):
    """Return (records, decision, counters) of each window (ticks, channels, length) of a stream.

    Ticks count from the window's start. The network is never cleared, and its ticks never wrap.
    Upsets are (tick, "p", "q", "a" or "sum", neuron, mask).
    """
    config = parameters.config
    tables = [decay_words(config, tau) for tau in (config.tau_m, config.tau_s, config.tau_a)]
    neurons = [Neuron(int(t), int(b)) for t, b in zip(parameters.theta0, parameters.beta,
                                                      strict=True)]
    first_output = config.neurons - config.outputs
    arriving = {}  # (tick, neuron) -> weights
    busy, results, start, totals = set(), [], 0, [0, 0, 0]

    def send(source, tick):
        for s in range(parameters.row_start[source], parameters.row_start[source + 1]):
            place = (tick + int(parameters.delay[s]), int(parameters.target[s]))
            arriving.setdefault(place, []).append(int(parameters.weight[s]))
            busy.add(place[0])
        return int(parameters.row_start[source + 1] - parameters.row_start[source])

    for ticks, channels, length in windows:
        integrals = [0] * config.neurons
        first = [config.ticks] * config.neurons
        counts = [0] * config.neurons
        inputs, events, records = {}, 0, []
        for tick, channel in zip(ticks, channels, strict=True):
            inputs.setdefault(start + int(tick), []).append(int(channel))
        for tick in range(start, start + length):
            for channel in inputs.get(tick, []):
                events += send(channel, tick)
            for when, site, j, mask in upsets:
                if when == tick and site != "sum":
                    neurons[j].upset(site, mask, config)
                elif when == tick and (tick, j) in arriving:
                    top = 2 ** (config.sum_bits - 1)
                    total = (sum(arriving[tick, j]) % (2 * top)) ^ mask
                    arriving[tick, j] = [total - 2 * top * (total >= top)]
            for j, neuron in enumerate(neurons):
                arrivals = arriving.pop((tick, j), None)
                if config.readout == "leaky" and j >= first_output:
                    if arrivals:
                        integrals[j] += sum(arrivals) * int(parameters.tables.readout[tick - start])
                        records.append((tick - start, j, False, integrals[j], 0, 0))
                    continue
                touched = neuron.step(tick, arrivals, config, tables, polls=not upsets)
                neuron.rest(tick, arrivals, config, tables, parameters.tables.sleep)
                if touched:
                    records.append((tick - start, j, *touched[1:]))
                    if touched[1]:
                        counts[j] += 1
                        first[j] = min(first[j], tick - start)
                        events += send(config.inputs + j, tick)
        scores = {"first-spike": [-f for f in first], "spike-count": counts, "leaky": integrals}
        outputs = scores[config.readout][first_output:]
        busy.update(*(neuron.asked for neuron in neurons))
        leaky = (sum(record[1] >= first_output for record in records)
                 if config.readout == "leaky" else 0)
        before, totals = totals, [sum(getattr(n, name) for n in neurons)
                                  for name in ("saturations", "looks", "searches")]
        saturations, looks, searches = np.subtract(totals, before).tolist()
        counters = [saturations, len(records), sum(counts), looks, len(ticks), events,
                    sum(tick is not None and start <= tick < start + length for tick in busy),
                    searches, leaky]
        results.append((records, outputs.index(max(outputs)), counters))
        start += length
        for neuron in neurons:
            neuron.forgotten = start - config.forgets_after
    return results
