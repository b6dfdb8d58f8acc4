"""Kernels of the tick grid, forwards and backwards.

A source is an input channel or a neuron; neurons count from 0, and neuron j is source inputs + j.
All synapses of a source lie together; ``hop`` says at once to which neuron and how far ahead. What
is due at a neuron waits in a ring of ``slots`` rows of a float a neuron, one row a tick. Symbols
are those of docs/gradients.md.
"""

if "." not in __name__:
    raise ImportError(f"import ranvier.train.{__name__}, not {__name__}")
