"""The command ``ranvier``."""

import logging
import sys

from . import toolchain
from .arguments import parser
from .explore.fit import fit
from .explore.tables import explore_table, fit_table
from .folder import RunFolder
from .pipeline import run_all, run_step
from .prove import proofs_table, prove
from .search import search
from .seeds import train_seeds
from .steps.board import FOLDER, board
from .steps.noise import replay_mutant, replay_row, replay_strike
from .steps.stream import stream
from .steps.synth import script
from .summary import (
    bits_table,
    board_table,
    noise_table,
    search_table,
    seeds_table,
    summary_table,
    synth_table,
)

__all__ = ["main"]

MISMATCH, REFUSED, INTERRUPTED = 1, 2, 130

logger = logging.getLogger("ranvier")


def _run(arguments):
    run = RunFolder.create(arguments.experiment, arguments.out, seed=arguments.seed)
    run_all(run)
    return _finish(run)


def _finish(run):
    """Print the summary; return the exit status that its verdict asks for."""
    summary = run.read_json("summary.json")
    print(summary_table(summary))
    print(f"report: {run.path / 'report.html'}")
    return _verdict(summary["cosim"], summary["noise"])


def _verdict(*parts):
    return MISMATCH if any(part["mismatches"] for part in parts) else 0


def _train(arguments):
    if arguments.seeds is None:
        if arguments.workers is not None or arguments.dask is not None:
            raise ValueError("--workers and --dask must come with --seeds, not alone")
        run = RunFolder.create(arguments.experiment, arguments.out, seed=arguments.seed)
        run_step(run, "train")
        found = run.read_json("training.json")["accuracy"]
        print("\n".join(f"accuracy, {name}: {value:.2%}" for name, value in found.items()))
        return 0
    seeds = train_seeds(
        arguments.experiment, arguments.out, count=arguments.seeds, first=arguments.seed,
        workers=arguments.workers, dask=arguments.dask,
    )  # fmt: skip
    print(seeds_table(seeds))
    return 0


def _search(arguments):
    found = search(
        arguments.experiment, arguments.out, trials=arguments.trials, workers=arguments.workers,
        dask=arguments.dask, seed=arguments.seed,
    )  # fmt: skip
    print(search_table(found))
    print(f"experiment: {arguments.out / 'best.toml'}")
    return 0


def _quantise(run):
    run_step(run, "quantise", again=True)
    found = run.read_json("quantise.json")["accuracy"]
    print("\n".join(f"accuracy, {name}: {value:.2%}" for name, value in found.items()))
    return 0


def _finetune(run):
    run_step(run, "finetune", again=True)
    found = run.read_json("finetune/training.json")["accuracy"]
    print("\n".join(f"accuracy, {name}, fixed: {value:.2%}" for name, value in found.items()))
    return 0


def _bits(run):
    run_step(run, "bits", again=True)
    print(bits_table(run.read_json("bits/bits.json")))
    return 0


def _explore(arguments):
    run = RunFolder.open(arguments.folder)
    options = {name: getattr(arguments, name) for name in ("synthesise", "workers", "dask")}
    run_step(run, "explore", again=True, **{k: v for k, v in options.items() if v})
    print(explore_table(run.read_json("explore/explore.json")))
    return 0


def _fit(arguments):
    run = RunFolder.open(arguments.folder)
    found = fit(run, arguments.device)
    run.write_json("fit.json", found)
    print(fit_table(found))
    return 0 if any(report["fits"] for report in found["devices"]) else MISMATCH


def _emulate(run):
    run_step(run, "emulate", again=True)
    found = run.read_json("emulate.json")
    print(f"accuracy, fixed: {found['accuracy']:.2%} of {found['samples']} samples")
    print(f"predicted cycles per sample: {found['cycles']['mean']:.0f}, "
          f"{found['latency']['mean']:.0f} from the first input to the decision")
    estimate = found["energy_estimate"]
    print(f"estimated energy per sample: {estimate['memories_pj'] / 1000:.1f} nJ for memories, "
          f"{estimate['arithmetic_pj'] / 1000:.1f} nJ for arithmetic,")
    print(f"  by the table of {estimate['table']}; it's of no device here")
    return 0


def _build(run):
    run_step(run, "build", again=True)
    print(f"Verilog: {run.path / 'build' / 'core.v'}")
    return 0


def _synth(arguments):
    if arguments.script is not None:
        return _script(arguments)
    if arguments.part is not None or arguments.period is not None:
        raise ValueError("--part and --period must come with --script, not alone")
    run = RunFolder.open(arguments.folder)
    options = {"devices": arguments.device, "seeds": arguments.seeds}
    run_step(run, "synth", again=True, **{k: v for k, v in options.items() if v is not None})
    found = run.read_json("synth/synth.json")["devices"]
    print("\n".join(map(synth_table, found)))
    return 0 if all(report["fits"] for report in found) else MISMATCH


def _board(arguments):
    run = RunFolder.open(arguments.folder)
    report = board(run, arguments.board, baud=arguments.baud)
    print(board_table(report))
    if not report["met"]:
        return MISMATCH
    print(f"bitstream: {run.path / FOLDER / arguments.board / report['bitstream']}")
    return 0


def _stream(run):
    found = stream(run)
    print(f"{found['windows']} windows of {found['ticks']} ticks in streams of {found['at_once']}, "
          f"with tick numbers modulo {found['turn']}: {found['records']} records compared, "
          f"{found['mismatches']} mismatches")
    if found["difference"]:
        print("window {sample}: {text}".format(**found["difference"]))
    print("accuracy, fixed: {stream:.2%} as one stream, {rest:.2%} with each sample from rest"
          .format(**found["accuracy"]))
    print(f"Verilog: {run.path / 'stream' / 'core.v'}")
    return _verdict(found)


def _script(arguments):
    if arguments.device is not None or arguments.seeds is not None:
        raise ValueError("--script must come without --device and --seeds: it has --part")
    run = RunFolder.open(arguments.folder)
    path = script(run, arguments.script, part=arguments.part, period=arguments.period)
    print(f"script: {path}")
    return 0


def _prove(arguments):
    report = prove(arguments.out, arguments.name)
    print(proofs_table(report))
    return MISMATCH if report["failed"] else 0


def _cosim(arguments):
    run = RunFolder.open(arguments.folder)
    options = {name: getattr(arguments, name) for name in ("simulator", "waves")}
    run_step(run, "cosim", again=True, **{k: v for k, v in options.items() if v})
    found = run.read_json("cosim.json")
    for name, part in found["simulators"].items():
        print(
            f"{name}: {part['samples']} samples, {part['records']} records compared, "
            f"{part['mismatches']} mismatches"
        )
        if part["difference"]:
            print("test sample {sample}: {text}".format(**part["difference"]))
    return _verdict(found)


def _noise(arguments):
    run = RunFolder.open(arguments.folder)
    if arguments.row is not None:
        return _row(run, arguments)
    if arguments.sample is not None or arguments.waves:
        raise ValueError("--sample and --waves must come with --row, not alone")
    if arguments.strike is not None:
        print("strike {index}: {register}, bit {bit}, cycle {cycle} of sample {sample}: {outcome}"
              .format(**replay_strike(run, arguments.strike)))
        return 0
    if arguments.mutant is not None:
        print("mutant {index}: {cell}, bit {bit}, {mode} from cycle {cycle} of sample {sample} on: "
              "{outcome}".format(**replay_mutant(run, arguments.mutant)))
        return 0
    options = {name: getattr(arguments, name) for name in ("workers", "dask")}
    run_step(run, "noise", again=True, **{k: v for k, v in options.items() if v})
    print(noise_table(run.read_json("noise/noise.json")))
    found = run.read_json("noise/replay.json")
    for name, part in found["simulators"].items():
        print(f"{name}: {part['rows']} rows of the plan, {part['records']} records compared, "
              f"{part['mismatches']} mismatches, {part['silent']} events lost silently")
        if part["difference"]:
            print(part["difference"])
    return _verdict(found)


def _row(run, arguments):
    found = replay_row(run, arguments.row, sample=arguments.sample, waves=arguments.waves)
    pick = found["picks"][0]
    print("row {row}: {kind} {level}, instance {instance}, sample {sample}: {records} records "
          "compared".format(**pick))
    print(pick["difference"] or "no difference")
    if found["waves"]:
        print(f"waveform: {found['waves']}")
    return _verdict(found)


def _report(arguments):
    run = RunFolder.open(arguments.folder)
    options = {"beside": arguments.beside} if arguments.beside else {}
    run_step(run, "report", again=True, **options)
    return _finish(run)


def _doctor(arguments):
    missing = False
    for tool in toolchain.tools():
        if tool.path:
            print(f"{tool.name:<31} {tool.version or 'found'} ({tool.path})")
        else:
            word = "optional" if tool.optional else "MISSING"
            print(f"{tool.name:<31} {word}: {tool.missing()}")
            missing |= not tool.optional
    return REFUSED if missing else 0


def _on_folder(work):
    """Return a command that works on the folder of a run."""
    return lambda arguments: work(RunFolder.open(arguments.folder))


COMMANDS = {
    "run": _run, "train": _train, "search": _search, "cosim": _cosim, "noise": _noise,
    "synth": _synth, "explore": _explore, "fit": _fit, "prove": _prove, "board": _board,
    "doctor": _doctor,
    "finetune": _on_folder(_finetune), "bits": _on_folder(_bits),
    "quantise": _on_folder(_quantise), "emulate": _on_folder(_emulate),
    "build": _on_folder(_build), "stream": _on_folder(_stream), "report": _report,
}
"""What each command does, by its name: it gets what was parsed, and returns the exit status."""


def _log_to_stderr(arguments):
    level = logging.DEBUG if arguments.verbose else logging.INFO
    logger.setLevel(logging.WARNING if arguments.quiet else level)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers = [handler]


def main(arguments=None):
    """Run one command. Returns its exit status.

    0: done. 1: the RTL differs from the model, doesn't fit a device, or fails a proof. 2: the
    command couldn't be carried out, and one sentence on stderr says why. 130: interrupted by
    Ctrl-C.
    """
    arguments = parser().parse_args(arguments)
    _log_to_stderr(arguments)
    try:
        return COMMANDS[arguments.command](arguments)
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        logger.debug("where it arose:", exc_info=True)
        print(f"ranvier: {' '.join(str(error).split())}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("ranvier: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
