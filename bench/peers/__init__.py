"""One file a peer: what it can do of the tasks, each in a few lines of its own interface.

A function is named like a task, takes it, ``repeats`` and ``threads``, and returns its figures.
Needs the peer itself, which the project doesn't depend on.
"""
