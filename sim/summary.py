"""The figures of a run in one dict, ``summary.json``, and as tables for a terminal."""

from .noise.answers import DROPS, crossing_text

__all__ = ["bits_table", "board_table", "make_summary", "noise_table", "search_table",
           "seeds_table", "summary_table", "synth_table", "synthesised"]


def _seconds(steps, own):
    """Return the seconds of each step and of all; ``own`` are those of the report so far."""
    seconds = {name: record["seconds"] for name, record in steps.items() if name != "report"}
    return {**seconds, "report": own, "total": sum(seconds.values()) + own}


def _cosim(cosim):
    """Return samples, records and mismatches, in all and by simulator."""
    parts = cosim["simulators"]
    kept = ("samples", "records", "mismatches", "stall")
    total = {name: sum(part[name] for part in parts.values()) for name in kept[:3]}
    return {**total, "simulators": {
        name: {key: part[key] for key in kept} for name, part in parts.items()}}


def synthesised(run, design):
    """Return the reports of the devices that a run's core was synthesised for.

    Parameters
    ----------
    run : RunFolder
    design : str
        Hash of the design: there are none of an earlier one.
    """
    if not (run.path / "synth/synth.json").is_file():
        return []
    found = run.read_json("synth/synth.json")
    return found["devices"] if found["design"] == design else []


def make_summary(run, *, memory_bits, seconds):
    """Return what ``summary.json`` holds; docs/runs.md says what each key is.

    Parameters
    ----------
    run : RunFolder
        With the files of every step before the report.
    memory_bits : dict of str to int
        Bits of each memory of the core.
    seconds : float
        That the report has taken so far.
    """
    steps = run.read_steps()
    training, quantised, emulated, cosim, noise = (
        run.read_json(f"{name}.json")
        for name in ("training", "quantise", "emulate", "cosim", "noise/noise")
    )
    replay = run.read_json("noise/replay.json")
    steps_down = quantised["accuracy"]
    return {
        "name": run.name,
        "accuracy": {
            "float": steps_down["float"],
            "ticks": steps_down["ticks"],
            "weights": steps_down["weights"],
            "fixed": emulated["accuracy"],
            "samples": emulated["samples"],
            "epochs": len(training["history"]),
        },
        "cosim": _cosim(cosim),
        "cycles": {"predicted": emulated["cycles"]["mean"],
                   "measured": cosim["cycles"]},
        "noise": {
            "kinds": list(noise["kinds"]),
            "replayed": replay["rows"],
            "records": replay["records"],
            "mismatches": replay["mismatches"],
        },
        "core": {
            "tick": quantised["tick"],
            "synapses": quantised["report"]["synapses"],
            "memory_bits": sum(memory_bits.values()),
            "design": quantised["design"],
            "verilog": run.read_steps()["build"]["outputs"]["build/core.v"],
        },
        "devices": {report["device"]: {name: report[name] for name in ("cells", "fits", "fmax_mhz")}
                    for report in synthesised(run, quantised["design"])},
        "seconds": _seconds(steps, seconds),
        "memory": {"peak_mib": max(record["peak_mib"] for record in steps.values())},
    }


def _table(title, rows):
    """Return rows of name and value as text under a title."""
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    return "\n".join([title, *lines])


def _simulated(name, part):
    return (f"cosim, {name}", f"{part['samples']} samples, {part['records']:,} records compared, "
                              f"{part['mismatches']} mismatches")


def _device(report):
    """Return what a device's report is in one line."""
    clock = f"{report['fmax_mhz']:.1f} MHz" if report["fits"] else "DOESN'T FIT"
    return f"{report['cells']['LUT4']:,} LUT4, {clock}"


def summary_table(summary):
    """Return the one-screen summary of a run."""
    accuracy, cosim, noise = (summary[name] for name in ("accuracy", "cosim", "noise"))
    verdict = "the core is the network" if not cosim["mismatches"] + noise["mismatches"] else (
        "THE CORE DIFFERS FROM THE NETWORK")
    core, cycles, seconds = (summary[name] for name in ("core", "cycles", "seconds"))
    cycles = {name: "none" if count is None else f"{count:,.0f}"
              for name, count in cycles.items()}
    return _table(f"{summary['name']}: {verdict}", [
        ("accuracy.float", f"{accuracy['float']:.2%} of {accuracy['samples']} test samples"),
        ("accuracy.fixed", f"{accuracy['fixed']:.2%} at a tick of {core['tick']:g} ms"),
        *(_simulated(name, part) for name, part in cosim["simulators"].items()),
        ("noise", f"{', '.join(noise['kinds'])}; {noise['replayed']} rows replayed on the RTL, "
                  f"{noise['mismatches']} mismatches"),
        ("cycles per sample", f"{cycles['measured']} measured, {cycles['predicted']} predicted"),
        ("core.memory_bits", f"{core['memory_bits']:,} ({core['synapses']:,} synapses)"),
        *((f"device {name}", _device(report)) for name, report in summary["devices"].items()),
        ("seconds.total", f"{seconds['total']:.0f}, of which seconds.train {seconds['train']:.0f}"),
        ("memory.peak_mib", f"{summary['memory']['peak_mib']:.0f}"),
        ("seed", f"{summary['seed']}, experiment {summary['experiment'][:16]}"),
    ])


def seeds_table(result):
    """Return the accuracies of several seeds as text."""
    rows = [(f"seed {row['seed']}", f"float {row['float']:.2%}, fixed {row['fixed']:.2%}")
            for row in result["seeds"]]
    for name in ("float", "fixed"):
        part = result[name]
        rows.append((f"{name}, mean", f"{part['mean']:.2%}, standard deviation {part['sd']:.2%}, "
                                      f"from {part['least']:.2%} to {part['largest']:.2%}"))
    return _table(f"{len(result['seeds'])} seeds, {result['seeds'][0]['samples']} test samples",
                  rows)


def bits_table(result):
    """Return the accuracies against bits as text."""
    rows = [(f"{row['kind']}, {row['bits']} bits", f"{row['before']:.2%}" + (
        "" if row["after"] is None else f", fine-tuned {row['after']:.2%}"))
        for row in result["rows"]]
    return _table(f"{result['samples']} test samples, float {result['float']:.2%}", rows)


def noise_table(result):
    """Return how much of each kind of noise a design stands as text, the worst kind first."""
    rows = []
    for name in result["ranking"]:
        kind = result["kinds"][name]
        one, five = (crossing_text(kind["critical"][str(drop)]) for drop in DROPS)
        rows.append((name, f"1 point lost: {one}, 5 points: {five} ({kind['unit']})"))
    return _table(f"accuracy {result['clean']['accuracy']:.2%} without noise", rows)


def search_table(result):
    """Return the best settings of a search as text."""
    best, trials = result["best"], result["trials"]
    failed = sum("failed" in row for row in trials)
    ending = f", {failed} failed" if failed else ""
    rows = [("validation accuracy", f"{best['accuracy']:.2%} of {result['samples']} samples"),
            *((name, f"{value}") for name, value in best["settings"].items())]
    return _table(f"best of {len(trials)} trials{ending}: trial {best['number']}", rows)


def synth_table(report):
    """Return what a core takes of a device, and its clock, as text."""
    rows = []
    for kind, used in report["cells"].items():
        has = report["has"].get(kind)
        share = "" if has is None else f" of {has:,}" + (", TOO MANY" if used > has else "")
        rows.append((kind, f"{used:,}{share}"))
    if report["fits"]:
        clocks = [place["fmax_mhz"] for place in report["placed"]]
        slowest = report["placed"][0]["slowest"]
        rows += [
            ("highest clock", f"{report['fmax_mhz']:.1f} MHz, median of {len(clocks)} places, "
                              f"from {min(clocks):.1f} to {max(clocks):.1f}"),
            ("slowest path", f"from {slowest['from']} to {slowest['to']}, "
                             f"{slowest['cells']} cells"),
        ]
    if report["reason"]:
        rows.append(("failed", report["reason"]))
    if report["bitstream"]:
        rows.append(("bitstream", "{file}, {bytes:,} bytes, seed {seed}".format(
            **report["bitstream"])))
    ending = "" if report["fits"] else (
        ": the core doesn't fit" if report["lacking"] else ": place and route failed")
    return _table(f"{report['device']} ({report['part']}){ending}", rows)


def board_table(report):
    """Return what a board's top takes of its device, and whether it meets the clock, as text."""
    rows = []
    for kind, has in report["has"].items():
        core, link = (report["cells"][part][kind] for part in ("core", "link"))
        few = ", TOO MANY" if kind in report["lacking"] else ""
        rows.append((kind, f"{core:,} of the core, {link:,} of the link: {core + link:,} of "
                           f"{has:,}{few}"))
    clock = f"{report['clock_mhz']:g} MHz"
    ending = ""
    if report["placed"]:
        rows.append(("highest clock", f"{report['placed']['fmax_mhz']:.1f} MHz, and the board's is "
                                      f"{clock}"))
        ending = "" if report["met"] else f": the clock of {clock} isn't met"
    if report["reason"]:
        rows.append(("failed", report["reason"]))
    if report["lacking"]:
        ending = ": the core doesn't fit"
    elif not report["placed"]:
        ending = ": place and route failed"
    rows.append(("serial line", f"{report['baud']:,} baud"))
    return _table(f"{report['board']} ({report['part']}){ending}", rows)
