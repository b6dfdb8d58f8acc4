"""Runs one contestant on one task in this process, and prints its figures as one line of JSON.

    .venv/bin/python bench/contest.py ranvier yinyang
    VENV/bin/python bench/contest.py snntorch shd --options '{"tick": 0.1}'

A contestant is ``ranvier``, ``limit`` or a file of peers/. One that isn't installed, or can't do
the task, says so under ``skipped``.
"""

import argparse
import importlib
import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version

SELVES = {
    "limit": {
        "yinyang": "limits.yinyang", "shd": "limits.grid", "shd_exact": "limits.exact",
        "inference": "limits.integer",
    },
    "ranvier": dict.fromkeys(("yinyang", "shd", "shd_exact", "inference"), "ours"),
}  # fmt: skip
TASKS = ("yinyang", "shd", "shd_exact", "inference")


def hold_threads(count):
    """Keep every library of this process to ``count`` threads; call before it's imported."""
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(count)
    if count == 1:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )


def run(name, task, options):
    """Return the figures of contestant ``name``, or why there are none.

    ``options`` has ``threads``, ``repeats`` and fields of the task.
    """
    options = dict(options)
    threads, repeats = options.pop("threads", 1), options.pop("repeats", 3)
    hold_threads(threads)
    import tasks

    try:
        if name in SELVES:
            module = importlib.import_module(SELVES[name][task])
        else:
            module = importlib.import_module(f"peers.{name}")
    except ImportError as error:
        return {"skipped": f"{name} must be installed: {error}"}
    act = getattr(module, task, None)
    if act is None:
        return {"skipped": f"{name} has no way to do {task}"}
    shape = tasks.YinYang if task == "yinyang" else tasks.Shd
    if task == "shd_exact" and name == "limit":
        options["recurrent"] = False
    more = {} if name == "limit" else {"threads": threads}
    found = act(shape(**options), repeats=repeats, **more)
    return found | {"versions": _versions(getattr(module, "PACKAGES", ("numpy", "numba")))}


def _versions(names):
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def main():
    """Parse the command line and print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("contestant")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--options", default="{}", help="JSON: threads, repeats, fields of a task")
    arguments = parser.parse_args()
    found = run(arguments.contestant, arguments.task, json.loads(arguments.options))
    json.dump(found, sys.stdout)
    print()


if __name__ == "__main__":
    main()
