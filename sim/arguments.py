"""What can be said to the command ``ranvier``."""

import argparse
from importlib.metadata import version
from pathlib import Path

from ..hw.boards.boards import BAUD, BOARDS
from ..hw.synthesis.devices import DEVICES
from ..hw.synthesis.makers import MAKERS, PARTS

__all__ = ["parser"]


def parser():
    """Return the parser. What it parsed has the command's name as ``command``."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "-v", "--verbose", action="count", default=0, help="say more; show where an error arose"
    )
    shared.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, only results, warnings and errors"
    )
    whole = argparse.ArgumentParser(
        prog="ranvier",
        description="Train a spiking network, generate its core, and prove that they are the same.",
    )
    whole.add_argument("--version", action="version", version=f"ranvier {version('ranvier')}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def command(name, text):
        sub = commands.add_parser(name, parents=[shared], help=text, description=text)
        sub.set_defaults(command=name)
        return sub

    for name, text in (
        ("run", "Run every step of an experiment; pass over those with nothing new to do."),
        ("train", "Train the network of an experiment."),
        ("search", "Search for the settings that do best on the validation set."),
    ):
        sub = command(name, text)
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
    for name, text in (
        ("finetune", "Train a run's network on with the design's integers in the loop."),
        ("bits", "Measure a run's network with fewer bits of weights and of delays."),
        ("quantise", "Round a run's network to fixed point."),
        ("emulate", "Run the test set through the integer model."),
        ("build", "Generate the Verilog of the core."),
        ("stream", "Generate the core that streams; compare it on an endless test set."),
        ("report", "Write report.html and summary.json."),
    ):
        sub = command(name, text)
        sub.add_argument("folder", type=Path, metavar="DIR")
        if name == "report":
            sub.add_argument("--beside", nargs="+", default=[], metavar="OTHER",
                             help="runs on the same data whose studies of noise are shown, too")
    sub = command("cosim", "Compare the RTL with the model, record by record.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument(
        "--simulator",
        choices=("verilator", "icarus"),
        help="under cocotb, in place of the experiment's own",
    )
    sub.add_argument("--waves", action="store_true", help="write a waveform of the first sample")
    sub = command("noise", "Measure how noise degrades the design; replay it on the RTL.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    _add_workers(sub, "levels")
    only = sub.add_mutually_exclusive_group()
    only.add_argument("--row", type=int, metavar="N", help="only replay this row of the plan")
    only.add_argument("--strike", type=int, metavar="N", help="only run this strike again")
    only.add_argument("--mutant", type=int, metavar="N", help="only run this mutant again")
    sub.add_argument("--sample", type=int, metavar="K", help="on this sample (the row's first)")
    sub.add_argument("--waves", action="store_true", help="write a waveform of it")
    sub = command("synth", "Synthesise, place and route the core on devices.")
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
    sub = command("explore", "Measure what designs of a run's network do and cost.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument("--synthesise", action="store_true", help="synthesise those of the front too")
    _add_workers(sub, "points")
    sub = command("fit", "Say which devices the core fits, and what would make it fit.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument(
        "--device", nargs="+", choices=tuple(DEVICES), help="those that count; all by default"
    )
    sub = command("prove", "Prove properties of the gateware, for every input.")
    sub.add_argument("name", nargs="*", metavar="NAME", help="proofs; all if none is named")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets proofs.json")
    sub = command("board", "Build a board's top and its bitstream: docs/boards.md.")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument("--board", required=True, choices=tuple(BOARDS))
    sub.add_argument(
        "--baud", type=int, default=BAUD, help="of its serial line (default: %(default)s)"
    )
    command("doctor", "Say which of the tools that the RTL needs are there.")
    return whole


def _add_workers(sub, what):
    """Add the options that say where a command does its work."""
    sub.add_argument(
        "--workers", type=int, metavar="W", help=f"{what} at a time, each in a process of its own"
    )
    sub.add_argument(
        "--dask", metavar="ADDRESS", help="do them on the Dask cluster of this scheduler"
    )
