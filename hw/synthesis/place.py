"""Places and routes a netlist."""

import json

from .devices import FAMILIES
from .route import place_and_route_many
from .tools import run

__all__ = ["NETLIST", "place", "placed_name"]

NETLIST = "netlist.json"


def placed_name(seed):
    """Return the name of the file of the design that was placed from a seed."""
    return f"placed-{seed}"


def place(device, folder, seed, *, target, options=(), many=False):
    """Place and route `NETLIST` once.

    Parameters
    ----------
    device : Device
    folder : Path
        Where the netlist is. The placed design, the program's report ``place-SEED.json`` and what
        it says, ``place-SEED.log``, which grows as it goes on, go there too.
    seed : int
    target : float
        The clock, in MHz, that is striven for. That it's missed is no failure.
    options : sequence of str
        Further ones, such as a file of pins.
    many : bool
        It has many banks: the device is an ECP5, and it's done by `place_and_route_many`.

    Returns
    -------
    found : dict
        ``seed``; ``fmax_mhz`` of the slowest clock; and ``used``, by the program's own kinds of
        cells how many are ``used`` and ``available``.
    path : list of dict
        Its slowest path, as the program reports it.

    Raises
    ------
    ToolError
        If the program fails.
    """
    family = FAMILIES[device.family]
    report = f"place-{seed}.json"
    arguments = [*device.options, *family.fixed, *options, "--json", NETLIST, "--report", report,
                 family.output, placed_name(seed), "--timing-allow-fail", "-q"]
    if many:
        place_and_route_many(family.program, arguments, folder, seed, target=target)
    else:
        run(family.program, [*arguments, "--seed", str(seed), "--freq", f"{target:g}",
                             "--log", f"place-{seed}.log"], folder)
    told = json.loads((folder / report).read_text(encoding="utf-8"))
    # Programs call a clock's net after its pin. Of a multiplier without registers, iCE40's
    # believes that it has a clock of its own.
    speeds = {net: speed["achieved"] for net, speed in told["fmax"].items() if "clk" in net}
    clock = min(speeds, key=speeds.get)
    edge = f"posedge {clock}"
    (path,) = (one["path"] for one in told["critical_paths"] if one["from"] == one["to"] == edge)
    used = {kind: {"used": count["used"], "available": count["available"]}
            for kind, count in told["utilization"].items() if count["used"]}
    return {"seed": seed, "fmax_mhz": round(speeds[clock], 2), "used": used}, path
