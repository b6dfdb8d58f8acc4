"""A slow simulator in continuous time whose every number is complex, for derivatives to 1e-14.

With a parameter x + ih, the imaginary part of the loss over h is its derivative; nothing is
subtracted, so h can be 1e-30. Which event comes first is told by real parts. It shares no code with
the engine.
"""

import heapq
from itertools import count

import numpy as np

GRID = 200
"""Points on which a crossing is looked for between two arrivals."""
NEWTON = 6
IMAGINARY = 1e-30


class Simulator:
    """Runs networks of exponential synapses that read spikes: every population fires.

    Parameters
    ----------
    config : NetworkConfig
        With ``delays = "synaptic"`` and a readout of output spikes.
    """

    def __init__(self, config):
        self._config = config
        sizes = config.populations
        starts = np.cumsum([0, *sizes.values()])
        self._place = {
            name: slice(int(a), int(b))
            for name, a, b in zip(sizes, starts[:-1], starts[1:], strict=True)
        }
        self._neurons = int(starts[-1])
        self._turn = count()  # of arrivals at one time, so that none is compared further
        self._source = {
            self._place[name].start + i: (name, i) for name in sizes for i in range(sizes[name])
        }

    def spikes(self, arrays, times, channels):
        """Return the spikes of each output neuron, a list of complex times (ms).

        ``arrays`` : as `Network.arrays`, complex or real. ``times`` (ms) and ``channels`` : the
        input's events.
        """
        theta, beta, rates = self._by_neuron(arrays)
        trace = np.zeros((3, self._neurons), complex)
        queue, found = [], {}
        for time, channel in zip(times, channels, strict=True):
            self._send(arrays, queue, "input", int(channel), complex(time))
        now, end = 0j, self._config.duration
        while True:
            arrival = queue[0][2] if queue and queue[0][0] < end else complex(end)
            crossing = self._crossing(trace, theta, rates, arrival - now)
            if crossing is not None:
                gap, neuron = crossing
                now += gap
                trace *= np.exp(-gap * rates)
                trace[0, neuron] = trace[1, neuron]
                trace[2, neuron] += beta[neuron]
                found.setdefault(neuron, []).append(now)
                self._send(arrays, queue, *self._source[neuron], now)
                continue
            trace *= np.exp(-(arrival - now) * rates)
            now = arrival
            if not queue or queue[0][0] >= end:
                out = self._place["output"]
                return [found.get(neuron, []) for neuron in range(out.start, out.stop)]
            _, _, _, neuron, weight = heapq.heappop(queue)
            trace[0, neuron] += weight
            trace[1, neuron] += weight

    def _by_neuron(self, arrays):
        theta, beta = np.empty((2, self._neurons), complex)
        rates = np.empty((3, self._neurons), complex)
        for name, place in self._place.items():
            theta[place], beta[place] = arrays[f"theta0/{name}"], arrays[f"beta/{name}"]
            rates[:, place] = (1 / np.asarray(arrays[f"tau/{name}"]))[:, None]
        return theta, beta, rates

    def _send(self, arrays, queue, pre, index, time):
        for source, post in self._config.connections:
            if source == pre:
                first = self._place[post].start
                weights = arrays[f"weights/{pre}/{post}"][index]
                arrivals = time + arrays[f"delays/{pre}/{post}"][index]
                for j, (weight, at) in enumerate(zip(weights, arrivals, strict=True)):
                    at = complex(at)
                    heapq.heappush(queue, (at.real, next(self._turn), at, first + j, weight))

    @staticmethod
    def _crossing(trace, theta, rates, span):
        """Return (complex time from now, neuron) of the first upward crossing, or None."""
        plain, rate, rest = trace.real, rates.real, theta.real

        def height(u, one=slice(None)):
            slow, fast, lift = plain[:, one, None] * np.exp(-u * rate[:, one, None])
            return slow - fast - lift - rest[one, None]

        points = np.linspace(0.0, span.real, GRID)
        above = height(points) >= 0
        rises = ~above[:, :-1] & above[:, 1:]
        if not rises.any():
            return None
        best = None
        for neuron in np.flatnonzero(rises.any(axis=1)):
            step = rises[neuron].argmax()
            low, high = points[step], points[step + 1]
            one = slice(neuron, neuron + 1)
            for _ in range(40):
                middle = 0.5 * (low + high)
                low, high = (low, middle) if height(middle, one) >= 0 else (middle, high)
            u = complex(high)
            for _ in range(NEWTON):
                terms = trace[:, neuron] * np.exp(-u * rates[:, neuron])
                slope = terms @ (rates[:, neuron] * (-1, 1, 1))
                u -= (terms[0] - terms[1] - terms[2] - theta[neuron]) / slope
            if best is None or u.real < best[0].real:
                best = u, int(neuron)
        return best


def derivatives(loss, arrays):
    """Return dloss/dx of every entry of ``arrays``; ``loss`` takes such a dict."""
    arrays = {name: array.astype(complex) for name, array in arrays.items()}
    found = {}
    for name, array in arrays.items():
        found[name] = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + 1j * IMAGINARY
            found[name][index] = loss(arrays).imag / IMAGINARY
            array[index] = kept
    return found
