"""Kernels of the exact engine: a network in continuous time, forwards and backwards.

Symbols are those of docs/gradients.md. A neuron's traces are P, Q and A (``p``, ``q``, ``a``),
its height is f = P - Q - A - theta0, and it fires where f reaches 0 from below. Times are in ms,
rates in 1/ms. Spikes stand one neuron after the other and sorted by time: those of neuron ``n`` are
``start[n]`` to ``start[n + 1]``.
"""

if "." not in __name__:
    raise ImportError(f"import ranvier.train.{__name__}, not {__name__}")
