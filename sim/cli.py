"""The command ``ranvier``."""

import argparse
import logging
import sys
from importlib.metadata import version
from pathlib import Path

from ..hw.boards.boards import BAUD, BOARDS
from ..hw.synthesis.devices import DEVICES
from ..hw.synthesis.makers import MAKERS, PARTS
from . import toolchain
from .explore.fit import fit
from .explore.tables import explore_table, fit_table
from .folder import RunFolder
from .pipeline import run_all, run_step
from .prove import proofs_table, prove
from .search import search
from .seeds import train_seeds
from .steps.board import FOLDER, board
from .steps.noise import replay_row, replay_strike
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


def _cosim(run, **options):
    run_step(run, "cosim", again=True, **options)
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


def _report(run):
    run_step(run, "report", again=True)
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


def _parser():
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "-v", "--verbose", action="count", default=0, help="say more; show where an error arose"
    )
    shared.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, only results, warnings and errors"
    )
    parser = argparse.ArgumentParser(
        prog="ranvier",
        description="Train a spiking network, generate its core, and prove that they are the same.",
    )
    parser.add_argument("--version", action="version", version=f"ranvier {version('ranvier')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name, work, text):
        sub = commands.add_parser(name, parents=[shared], help=text, description=text)
        sub.set_defaults(work=work)
        return sub

    for name, work, text in (
        ("run", _run, "Run every step of an experiment; pass over those with nothing new to do."),
        ("train", _train, "Train the network of an experiment."),
        ("search", _search, "Search for the settings that do best on the validation set."),
    ):
        sub = command(name, work, text)
        sub.add_argument("experiment", type=Path, help="the experiment's TOML file")
        sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run's folder")
        sub.add_argument("--seed", type=int, help="in place of the experiment's own")
        if name == "train":
            sub.add_argument(
                "--seeds", type=int, metavar="N", help="train N networks, with seeds in a row"
            )
            _add_workers(sub, "seeds")
        if name == "search":
            sub.add_argument(
                "--trials", type=int, required=True, metavar="N",
                help="trials in all; a folder with fewer is gone on with",
            )  # fmt: skip
            _add_workers(sub, "trials")
    for name, work, text in (
        ("finetune", _finetune, "Train a run's network on with the design's integers in the loop."),
        ("bits", _bits, "Measure a run's network with fewer bits of weights and of delays."),
        ("quantise", _quantise, "Round a run's network to fixed point."),
        ("emulate", _emulate, "Run the test set through the integer model."),
        ("build", _build, "Generate the Verilog of the core."),
        ("stream", _stream, "Generate the core that streams; compare it on an endless test set."),
        ("report", _report, "Write report.html and summary.json."),
    ):
        command(name, _on_folder(work), text).add_argument("folder", type=Path, metavar="DIR")
    sub = command("cosim", _cosim_command, "Compare the RTL with the model, record by record.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument(
        "--simulator",
        choices=("verilator", "icarus"),
        help="under cocotb, in place of the experiment's own",
    )
    sub.add_argument("--waves", action="store_true", help="write a waveform of the first sample")
    sub = command("noise", _noise, "Measure how noise degrades the design; replay it on the RTL.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    _add_workers(sub, "levels")
    only = sub.add_mutually_exclusive_group()
    only.add_argument("--row", type=int, metavar="N", help="only replay this row of the plan")
    only.add_argument("--strike", type=int, metavar="N", help="only run this strike again")
    sub.add_argument("--sample", type=int, metavar="K", help="on this sample (the row's first)")
    sub.add_argument("--waves", action="store_true", help="write a waveform of it")
    sub = command("synth", _synth, "Synthesise, place and route the core on devices.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument(
        "--device", nargs="+", choices=tuple(DEVICES), help="in place of the experiment's own"
    )
    sub.add_argument("--seeds", type=int, metavar="N", help="place and route N times")
    sub.add_argument(
        "--script", choices=tuple(MAKERS), help="only write a script for a maker's own tools"
    )
    parts = ", ".join(f"{part} for {maker}" for maker, part in PARTS.items())
    sub.add_argument("--part", help=f"the script's device, by its maker's name ({parts})")
    sub.add_argument(
        "--period", type=float, metavar="NS", help="the script's clock period in ns (10)"
    )
    sub = command("explore", _explore, "Measure what designs of a run's network do and cost.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument("--synthesise", action="store_true", help="synthesise those of the front too")
    _add_workers(sub, "points")
    sub = command("fit", _fit, "Say which devices the core fits, and what would make it fit.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument(
        "--device", nargs="+", choices=tuple(DEVICES), help="those that count; all by default"
    )
    sub = command("prove", _prove, "Prove properties of the gateware, for every input.")
    sub.add_argument("name", nargs="*", metavar="NAME", help="proofs; all if none is named")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets proofs.json")
    sub = command("board", _board, "Build a board's top and its bitstream: docs/boards.md.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument("--board", required=True, choices=tuple(BOARDS))
    sub.add_argument(
        "--baud", type=int, default=BAUD, help="of its serial line (default: %(default)s)"
    )
    command("doctor", _doctor, "Say which of the tools that the RTL needs are there.")
    return parser


def _add_workers(sub, what):
    """Add the options that say where a command does its work."""
    sub.add_argument(
        "--workers", type=int, metavar="W", help=f"{what} at a time, each in a process of its own"
    )
    sub.add_argument(
        "--dask", metavar="ADDRESS", help="do them on the Dask cluster of this scheduler"
    )


def _cosim_command(arguments):
    options = {name: getattr(arguments, name) for name in ("simulator", "waves")}
    chosen = {name: value for name, value in options.items() if value}
    return _cosim(RunFolder.open(arguments.folder), **chosen)


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
    arguments = _parser().parse_args(arguments)
    _log_to_stderr(arguments)
    try:
        return arguments.work(arguments)
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        logger.debug("where it arose:", exc_info=True)
        print(f"ranvier: {' '.join(str(error).split())}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("ranvier: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
