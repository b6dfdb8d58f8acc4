"""Places and routes many banks on an ECP5, for the highest clock that can be reached.

nextpnr's first router doesn't end on such cores. Its second one doesn't look at the clock unless
it's told to (``--tmg-ripup``): then it routes anew what is too slow, until nothing is, and never
ends if that can't be. So it's watched, and begins anew with a lower clock. To go on from what was
placed before is no way: nextpnr forgets then which inputs of block RAMs and multipliers are
constant, and its bitstream lacks them.
"""

import logging
import math
import re

from .tools import Hopeless, run

__all__ = ["is_hopeless", "place_and_route_many"]

PLACING = ("--placer-heap-timingweight", "30", "--placer-heap-alpha", "0.05")

HIGHEST, STEP, TRIES = 1.15, 0.97, 4
"""The highest clock that is striven for, over the one that is estimated when all is placed; how
much less next; and how often."""

PATIENCE, LONGEST = 30, 300
"""Rounds in which only the clock is missed, and rounds in all, after which it can't be reached."""

logger = logging.getLogger(__name__)


def place_and_route_many(program, arguments, folder, seed, *, target):
    """Place and route a core of many banks, for lower and lower clocks until one is reached.

    Parameters
    ----------
    program : tuple of str
    arguments : list of str
        Options but for seed, clock and log.
    folder : Path
        What is said goes into ``place-SEED.log``, which each try writes anew.
    seed : int
    target : float
        The clock, in MHz, above which none is striven for.

    Raises
    ------
    ToolError
        If the program fails.
    """
    log = folder / f"place-{seed}.log"
    always = [*arguments, *PLACING, "--router", "router2", "--seed", str(seed), "--log", log.name]
    for aim in _aims(log, target):
        logger.info("synthesis: route for %.1f MHz", aim)
        log.unlink(missing_ok=True)
        try:
            run(program, [*always, "--tmg-ripup", "--freq", f"{aim:g}"], folder,
                hopeless=lambda aim=aim: is_hopeless(log, aim))
        except Hopeless:
            continue
        return
    logger.info("synthesis: route for no clock")
    run(program, [*always, "--freq", f"{target:g}"], folder)


def _aims(log, target):
    """Yield the clocks to strive for, in MHz; from the second on by what was said before."""
    yield target
    highest = min(HIGHEST * _estimated(log.read_text(encoding="utf-8")), STEP * target)
    yield from (highest * STEP**k for k in range(TRIES))


def _estimated(said):
    """Return the slowest clock, in MHz, that is said before routing; infinite while none is."""
    clocks = re.findall(r"Max frequency for clock .*: ([0-9.]+) MHz", said.partition("Routing")[0])
    return min(map(float, clocks), default=math.inf)


def is_hopeless(log, aim):
    """Return whether a run of nextpnr that writes ``log`` won't reach a clock, in MHz."""
    said = log.read_text(encoding="utf-8") if log.exists() else ""
    rounds = re.findall(r" overused=(\d+) .* tmgfail=(\d+) ", said)
    late = rounds[-PATIENCE:]
    return HIGHEST * _estimated(said) < aim or len(rounds) > LONGEST or (
        len(late) == PATIENCE and all(over == "0" and slow != "0" for over, slow in late))
