"""Places and routes many banks on an ECP5: in two runs, for a clock that routing can reach.

nextpnr's first router doesn't end on such cores. Its second one doesn't look at the clock unless
it's told to (``tmg_ripup``): then it routes anew what is too slow, until nothing is, and never ends
if that can't be. What can be is seen only after placement.
"""

import json
import logging
import re

from ...model.files import write_atomically
from .tools import Hopeless, run

__all__ = ["NETLIST", "place_and_route_many", "start"]

NETLIST = "netlist.json"

PLACING = ("--placer-heap-timingweight", "30", "--placer-heap-alpha", "0.05")

HIGHEST, STEP, TRIES = 1.15, 0.98, 8
"""What is striven for first, over the estimate, and how much less next; how often in all."""

PATIENCE, LONGEST = 30, 300
"""Rounds in which only the clock is missed, and rounds in all, after which it can't be reached."""

logger = logging.getLogger(__name__)


def start(seed, target):
    """Return the options of nextpnr with which a run begins at the netlist."""
    return ["--json", NETLIST, "--seed", str(seed), "--freq", f"{target:g}",
            "--log", f"place-{seed}.log"]


def place_and_route_many(program, arguments, results, folder, seed, *, target):
    """Place `NETLIST` once, and route it for lower and lower clocks until one is reached.

    Parameters
    ----------
    program : tuple of str
    arguments, results : list of str
        Options of each run, and of one that routes.
    folder : Path
        What is said goes into ``place-SEED.log``, and of the last try to route, ``route-SEED.log``.
    seed : int
    target : float
        No clock above it is striven for, in MHz, but for what `HIGHEST` allows for.

    Raises
    ------
    ToolError
        If the program fails.
    """
    unrouted, log = folder / f"unrouted-{seed}.json", folder / f"route-{seed}.log"
    run(program, [*arguments, *start(seed, target), *PLACING, "--no-route",
                  "--write", unrouted.name], folder)
    told = (folder / f"place-{seed}.log").read_text(encoding="utf-8")
    estimate = min(map(float, re.findall(r"Max frequency for clock .*: ([0-9.]+) MHz", told)))
    design = json.loads(unrouted.read_text(encoding="utf-8"))
    (settings,) = (module["settings"] for module in design["modules"].values()
                   if "settings" in module)
    for aim in aims(min(estimate, target)):
        # What a design that was placed says of these is stronger than options are.
        settings |= {"router": "router2", "router/tmg_ripup": f"{aim is not None:032b}",
                     "target_freq": str(1e6 * (aim or target))}
        write_atomically(unrouted, json.dumps(design).encode())
        log.unlink(missing_ok=True)
        logger.info("synthesis: route for %s", f"{aim:.1f} MHz" if aim else "whatever comes")
        try:
            run(program, [*arguments, *results, "--json", unrouted.name, "--no-pack", "--no-place",
                          "--log", log.name], folder,
                hopeless=None if aim is None else lambda: is_hopeless(log))
        except Hopeless:
            continue
        break
    unrouted.unlink()


def aims(highest):
    """Return the clocks to strive for one after the other, in MHz. The last is None: any."""
    return [highest * HIGHEST * STEP**k for k in range(TRIES)] + [None]


def is_hopeless(log):
    """Return whether a router that writes ``log`` won't reach its clock."""
    said = log.read_text(encoding="utf-8") if log.exists() else ""
    rounds = re.findall(r" overused=(\d+) .* tmgfail=(\d+) ", said)
    late = rounds[-PATIENCE:]
    return len(rounds) > LONGEST or (len(late) == PATIENCE and all(
        overused == "0" and slow != "0" for overused, slow in late))
