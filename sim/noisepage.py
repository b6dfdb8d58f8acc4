"""The part of a run's page that tells what noise and faults do to the design."""

import csv

from .congestionpicture import POLICIES, congestion_picture
from .faultspicture import (
    bits_of_faults,
    distances_picture,
    divergence_picture,
    layers_picture,
    outcomes_picture,
)
from .movedpicture import moved_picture
from .neuronspicture import neurons_picture
from .noise.answers import DROPS, crossing_text, worst_text
from .noise.campaign import FAULTS
from .noise.kind import VERDICTS
from .noisepicture import chips_picture, level_picture

__all__ = ["SIMULATORS", "noise_content"]

SIMULATORS = {
    "cxxrtl": "CXXRTL (native code)",
    "verilator": "Verilator (under cocotb)",
    "icarus": "Icarus (under cocotb)",
}
"""Titles of simulators."""


def noise_content(run, config):
    """Return what the page of a run shows of noise, pictures included.

    Parameters
    ----------
    run : RunFolder
        With the files of the step ``noise``.
    config : CoreConfig
        Of its design.
    """
    noise, replay = (run.read_json(f"noise/{name}.json") for name in ("noise", "replay"))
    return {
        "folder": run.path, "noise": _noise(noise, config.tick), "congestion": _congestion(noise),
        "campaign": _campaign(run, config, replay),
        "strikes": _struck(run, "strikes", replay), "mutants": _struck(run, "mutants", replay),
        "replayed": _replayed(replay),
        "differences": [part["difference"] for part in replay["simulators"].values()
                        if part["difference"]],
    }


def _noise(noise, tick):
    """Return what the page says of each kind of noise, the worst first, and its picture."""
    clean = noise["clean"]["accuracy"]
    kinds = []
    for name in noise["ranking"]:
        kind = noise["kinds"][name]
        picture = level_picture(kind["levels"], unit=kind["unit"], clean=clean)
        kinds.append({"title": name.replace("_", " "), "origin": kind["origin"],
                      "picture": picture, "chips": _chips(kind, clean),
                      "moved": moved_picture(kind["levels"], unit=kind["unit"], tick=tick),
                      "unit": kind["unit"], "digital": kind["digital"],
                      "demand": VERDICTS[kind["verdict"]], "kept": kind["kept"],
                      "worst": worst_text(kind["levels"]),
                      "levels": kind["levels"],
                      "critical": [crossing_text(kind["critical"][str(drop)]) for drop in DROPS]})
    return kinds


def _chips(kind, clean):
    """Return the violins of a kind, None if it has no instances."""
    if kind["levels"][0]["spread"] is None:
        return None
    points = [{"level": row["level"], "chips": row["by_instance"],
               "low": row["spread"]["low"], "bound": row["spread"]["bound"]}
              for row in kind["levels"]]
    return chips_picture(points, unit=kind["unit"], clean=clean)


def _congestion(noise):
    """Return the queue of the event link for the page, None if no congestion was studied."""
    queue = noise["queue"]
    if queue is None:
        return None
    kinds = {name: noise["kinds"][name] for name in POLICIES if name in noise["kinds"]}
    return queue | {"picture": congestion_picture(kinds, queue, noise["clean"]["accuracy"])}


def _campaign(run, config, replay):
    """Return the campaign of single faults for the page, None if there's none of this design."""
    if not (run.path / "noise/campaign.json").is_file():
        return None
    found = run.read_json("noise/campaign.json")
    if found["design"] != replay["design"]:
        return None
    with open(run.need(f"noise/{FAULTS}"), newline="") as file:
        rows = list(csv.DictReader(file))
    raster = None if found["divergence"] is None else divergence_picture(
        found["divergence"], tick=config.tick, neurons=config.neurons, outputs=config.outputs)
    return found | {"picture": outcomes_picture(found["memories"]),
                    "by_layer": layers_picture(found["layers"]),
                    "by_bit": bits_of_faults(found["bits"]),
                    "by_neuron": neurons_picture(rows, neurons=config.neurons,
                                                 outputs=config.outputs),
                    "distances": distances_picture(rows), "raster": raster}


def _struck(run, name, replay):
    """Return strikes or mutants for the page, None if there are none of this design."""
    if not (run.path / f"noise/{name}.json").is_file():
        return None
    found = run.read_json(f"noise/{name}.json")
    if found["design"] != replay["design"]:
        return None
    rows = [{"unit": "all", **found}, *({"unit": name, **unit}
                                        for name, unit in found["units"].items())]
    seen = [outcome for outcome, part in found["outcomes"].items() if part[name]]
    return {"rows": rows, "seen": seen}


def _replayed(replay):
    """Return the rows of the table of replays: a kind of noise on a simulator each."""
    rows = {}
    for name, part in replay["simulators"].items():
        for pick in part["picks"]:
            row = rows.setdefault((pick["kind"], name), {
                "title": pick["kind"].replace("_", " "), "simulator": SIMULATORS[name],
                "rows": 0, "records": 0, "mismatches": 0, "shown": pick})
            row["rows"] += 1
            row["records"] += pick["records"]
            if pick["difference"] and not row["mismatches"]:
                row["shown"] = pick
            row["mismatches"] += bool(pick["difference"])
    return [rows[key] for key in sorted(rows)]
