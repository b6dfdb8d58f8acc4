"""One page of HTML on a run, with everything that it shows inside it."""

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from . import pictures
from .beside import beside_content
from .bitspicture import bits_picture
from .curves import CURVES, curve_picture
from .designs import Subject
from .explore.picture import explore_picture, way
from .folder import file_hash
from .noise.statistics import wilson
from .noisepage import SIMULATORS, noise_content
from .summary import synthesised

__all__ = ["gather", "render"]

STEPS = {
    "float": "float, continuous time",
    "ticks": "times and delays on ticks",
    "weights": "weights, thresholds rounded",
    "traces": "all in integers: the core",
}
WORK = {
    "input_events": "input events",
    "spikes": "spikes",
    "synaptic_events": "synaptic events",
    "touches": "touches",
    "looks": "looks that changed nothing",
}


def _with_interval(accuracy, samples):
    low, high = wilson(accuracy, samples)
    return {"accuracy": accuracy, "low": low, "high": high}


def _steps(accuracy, samples):
    """Return the rows of the table of roundings."""
    rows, before = [], None
    for name, title in STEPS.items():
        change = None if before is None else accuracy[name] - before
        rows.append({"name": title, "change": change, **_with_interval(accuracy[name], samples)})
        before = accuracy[name]
    return rows


def _finetuned(run, quantised):
    """Return what the page says of fine-tuning, None if there was none."""
    if run.experiment.finetune is None:
        return None
    training = run.read_json("finetune/training.json")
    history, epoch = training["history"], training["epoch"]
    steps = {"trained, float": quantised["trained"]["float"],
             "trained, all in integers": quantised["trained"]["traces"],
             "fine-tuned, all in integers": quantised["accuracy"]["traces"]}
    rows = [{"name": name, **_with_interval(value, quantised["samples"])}
            for name, value in steps.items()]
    return {"rows": rows, "epoch": epoch, "epochs": len(history),
            "pictures": [curve_picture(name, history, epoch) for name in ("loss", "accuracy")]}


def _bits(run):
    """Return the study of few bits for the page, None if there's none of this network."""
    if not (run.path / "bits/bits.json").is_file():
        return None
    found = run.read_json("bits/bits.json")
    if found["network"] != file_hash(run.need("network.safetensors")):
        return None
    return {"rows": found["rows"], "picture": bits_picture(found["rows"], found["float"])}


def _explore(run):
    """Return the design space for the page, None if there's none of this network."""
    if not (run.path / "explore/explore.json").is_file():
        return None
    found = run.read_json("explore/explore.json")
    if found["network"] != Subject.key(run) or all(row["failed"] for row in found["rows"]):
        return None
    rows = [row | {"way": way(row)} for row in found["rows"] if "all" in row["front"]]
    return found | {"points": len(found["rows"]), "rows": rows,
                    "picture": explore_picture(found["rows"], found["device"])}


def _raster(run, config):
    """Return what the page says of test sample 0, and its picture."""
    with np.load(run.need("raster.npz"), allow_pickle=False) as file:
        arrays = dict(file)
    picture = pictures.raster(
        arrays["inputs"], arrays["model"], arrays["rtl"], tick=config.tick, ticks=config.ticks,
        channels=config.inputs, neurons=config.neurons, outputs=config.outputs)
    model, rtl = arrays["decisions"].tolist()
    facts = {"sample": 0, "label": int(arrays["label"]), "model_decision": model,
             "rtl_decision": "nothing" if rtl < 0 else rtl}
    return facts, picture


def _shape(config, network):
    """Return one line on the network."""
    sizes = [config.inputs, *network.hidden, config.outputs]
    kind = "recurrent" if network.recurrent else "feedforward"
    adaptive = "adaptive thresholds" if config.adaptive else "fixed thresholds"
    return (f"{'-'.join(map(str, sizes))} {kind} network, {config.synapse} synapses, {adaptive}, "
            f"delays up to {network.delay_max:g} ms, {config.readout} readout, "
            f"samples of {network.duration:g} ms")


def _core_rows(config, quantised):
    rows = {
        "neurons, inputs": f"{config.neurons}, {config.inputs}",
        "synapses": f"{quantised['report']['synapses']:,}",
        "banks": config.banks,
        "tick, ms": f"{config.tick:g}",
        "ticks per sample": f"{config.ticks:,}",
        "longest delay, ticks": f"{config.delay_max:,}",
        "weight, trace, guard bits": f"{config.weight_bits}, {config.trace_bits}, "
                                     f"{config.guard_bits}",
        "bits of a sum": config.sum_bits,
    }
    return list(rows.items())


def _work_rows(emulated, measured):
    costs = _cost_rows(emulated)
    if measured is not None:
        costs.insert(1, ("clock cycles, measured", f"{measured:,.0f}"))
    return costs + [(WORK[name], f"{emulated['counters'][name]:,.1f}") for name in WORK]


def _cost_rows(emulated):
    estimate = emulated["energy_estimate"]
    return [
        ("clock cycles, predicted", f"{emulated['cycles']['mean']:,.0f}"),
        ("cycles from the first input to the decision, predicted",
         f"{emulated['latency']['mean']:,.0f}"),
        *((f"{name}, words read and written", f"{use['reads']:,.0f}, {use['writes']:,.0f}")
          for name, use in emulated["traffic"].items()),
        *((f"energy of {name}, estimated by a table, nJ",
           f"{estimate[f'{name}_pj'] / 1000:,.1f}") for name in ("memories", "arithmetic")),
        ("that table, which is of no device here", estimate["table"]),
    ]


def _commands(run):
    tuned = () if run.experiment.finetune is None else ("finetune",)
    return "\n".join((
        f"ranvier run {run.source} --out {run.path}    # all of it, or step by step:",
        f"ranvier train {run.source} --out {run.path}",
        *(f"ranvier {name} {run.path}"
          for name in (*tuned, "quantise", "emulate", "build", "cosim", "noise", "report")),
    ))


def gather(run, parameters, memory_bits, others=()):
    """Return what the page of a run shows, pictures included, but for the summary.

    Parameters
    ----------
    run : RunFolder
        With the files of every step before the report.
    parameters : Parameters
        Its design.
    memory_bits : dict of str to int
        Bits of each memory of the core.
    others : sequence of path, optional
        Folders of runs whose studies of noise are shown beside this one.
    """
    beside = beside_content(run, others)  # first, since it may be refused
    config = parameters.config
    training, quantised, emulated, cosim = (
        run.read_json(f"{name}.json") for name in ("training", "quantise", "emulate", "cosim"))
    samples = quantised["samples"]
    raster, raster_picture = _raster(run, config)
    for name, part in cosim["simulators"].items():
        part["title"] = SIMULATORS[name]
    against_tick = [row | _with_interval(row["accuracy"], samples)
                    for row in quantised["against_tick"]]
    return {
        "core": config, "cosim": cosim, "raster": raster,
        "kept": training["epoch"],
        "finetuned": _finetuned(run, quantised), "bits": _bits(run),
        "explored": _explore(run),
        "devices": synthesised(run, parameters.hash),
        "shape": _shape(config, run.experiment.network_config(config.inputs, config.outputs)),
        "simulators": " and ".join(SIMULATORS[name] for name in cosim["simulators"]),
        "steps": _steps(quantised["accuracy"], samples),
        **noise_content(run, config), "beside": beside,
        "core_rows": _core_rows(config, quantised),
        "work_rows": _work_rows(emulated, cosim["cycles"]),
        "commands": _commands(run),
        "pictures": {
            **{name: curve_picture(name, training["history"], training["epoch"])
               for name in CURVES},
            "against_tick": pictures.against_tick(
                against_tick, quantised["accuracy"]["float"], quantised["tick"]),
            "raster": raster_picture,
            "memories": pictures.memories(memory_bits),
        },
    }


def render(content, summary):
    """Return the page as HTML text, from what `gather` returns and ``summary.json``."""
    page = Environment(loader=PackageLoader(__package__, ""), autoescape=True,
                       undefined=StrictUndefined, trim_blocks=True)
    proven = not summary["cosim"]["mismatches"] + summary["noise"]["mismatches"]
    return page.get_template("report.html").render(s=summary, proven=proven, **content)
