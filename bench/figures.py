"""Measures figures and merges them into bench/figures: of the training engine, the core, or noise.

    .venv/bin/python bench/figures.py                        # every row that isn't up to date
    .venv/bin/python bench/figures.py core                   # the same, of the core
    .venv/bin/python bench/figures.py noise                  # and of noise
    .venv/bin/python bench/figures.py --only yinyang-speed --peer snntorch=VENV
    .venv/bin/python bench/figures.py --list                 # what there is, and what is known
    .venv/bin/python bench/figures.py --table docs/figures.md

Each row is written as soon as it's measured, so that a stopped run can go on.
"""

import argparse
import datetime
import importlib
import json
import logging
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from registry import ROOT, ROWS, Context, PassedOver

FOLDER = ROOT / "bench" / "figures"
TRAINING, CORE, NOISE = "training", "core", "noise"
SUBJECTS = {
    TRAINING: ("exactness", "accuracy", "modes", "speed", "traffic", "bits"),
    CORE: ("synthesis", "throughput", "agreement", "cycles", "protection"),
    NOISE: ("robust", "critical", "faults", "replays"),
}
"""The files of rows, by the file of figures that they go into."""
TITLES = {
    TRAINING: "Figures of the training engine", CORE: "Figures of the core",
    NOISE: "Figures of noise",
}  # fmt: skip

logger = logging.getLogger("figures")


def load(path):
    """Return the entries of a file of figures by id; none if there's no file."""
    if not path.exists():
        return {}
    return {entry["id"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}


def merge(path, entry):
    """Put one entry into the file, in the order of the rows, atomically."""
    entries = load(path) | {entry["id"]: entry}
    places = {name: place for place, name in enumerate(ROWS)}
    ordered = sorted(entries.values(), key=lambda e: places.get(e["id"], len(places)))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


def command(row):
    """Return what measures a row."""
    subject = row.measure.__module__.removeprefix("rows.")
    figures = next((name for name, rows in SUBJECTS.items() if subject in rows), TRAINING)
    first = "" if figures == TRAINING else f"{figures} "
    return f".venv/bin/python bench/figures.py {first}--only {row.id}"


def measure(row, context):
    """Measure a row; returns its entry."""
    value, detail = row.measure(context)
    return {
        "id": row.id,
        "value": _rounded(value),
        "interval": _rounded(detail.pop("interval", None)),
        "unit": row.unit,
        "command": command(row),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("ranvier", "numpy", "numba")},
        },
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "detail": {"code": row.code(context.quick), **_rounded(detail)},
    }


def _rounded(value):
    """Return a value for JSON, its floats to five significant digits."""
    if isinstance(value, dict):
        return {str(key): _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def table(entries, figures=TRAINING):
    """Return the figures as a page of Markdown."""
    lines = [
        f"# {TITLES[figures]}",
        "",
        f"Written by `bench/figures.py --table` from [bench/figures/{figures}.json]"
        f"(../bench/figures/{figures}.json), which also has what else was measured: ratios to the",
        "limit kernels and to peers, values of each seed, versions. Times depend on the machine "
        "and on its load; ratios hardly do.",
        "",
        "| figure | value | command | date |",
        "|---|---|---|---|",
    ]
    for name, row in ROWS.items():
        if name in entries:
            entry = entries[name]
            value = f"{_shown(entry['value'])} {entry['unit']}".strip()
            lines.append(
                f"| `{name}`: {row.title} | {value} | `{entry['command']}` | {entry['date']} |"
            )
    for name in ROWS:
        if "table" in (entry := entries.get(name, {"detail": {}}))["detail"]:
            lines += ["", f"## `{name}`", "", entry["detail"]["table"]]
    return "\n".join(lines) + "\n"


def _shown(value):
    values = value if isinstance(value, list) else [value]
    return " / ".join("-" if part is None else f"{part:.4g}" for part in values)


def run(names, context, path, again=False):
    """Measure rows and merge them; returns how many failed."""
    failed = 0
    for name in names:
        row, known = ROWS[name], load(path).get(name)
        if not again and known and known["detail"]["code"] == row.code(context.quick):
            logger.info("%s: %s %s, up to date", name, _shown(known["value"]), known["unit"])
            continue
        try:
            entry = measure(row, context)
        except PassedOver as reason:
            logger.info("%s: passed over: %s", name, reason)
            continue
        except Exception:
            logger.exception("%s: failed", name)
            failed += 1
            continue
        merge(path, entry)
        logger.info("%s: %s %s", name, _shown(entry["value"]), entry["unit"])
    return failed


def import_rows(figures=TRAINING):
    """Import the files of rows for a file of figures; put `ROWS` in the order of the subjects."""
    subjects = SUBJECTS[figures]
    for subject in subjects:
        importlib.import_module(f"rows.{subject}")

    def place(item):
        return subjects.index(item[1].measure.__module__.removeprefix("rows."))

    # Files import each other in an order of their own, and those of other figures.
    wanted = {name: row for name, row in ROWS.items()
              if row.measure.__module__.removeprefix("rows.") in subjects}
    ROWS.clear()
    ROWS.update(sorted(wanted.items(), key=place))


def _venv(text):
    name, _, folder = text.partition("=")
    if not (Path(folder) / "bin" / "python").exists():
        raise argparse.ArgumentTypeError(f"A peer must be NAME=VENV, not {text!r}")
    return name, Path(folder)


def parse(argv):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", nargs="?", choices=list(SUBJECTS), default=TRAINING)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), metavar="ID")
    parser.add_argument("--list", action="store_true", help="show the rows and stop")
    parser.add_argument("--table", type=Path, metavar="PAGE", help="write the page and stop")
    parser.add_argument("--quick", action="store_true", help="toy sizes, into another file")
    parser.add_argument("--again", action="store_true", help="measure rows that are up to date")
    parser.add_argument("--peer", action="append", type=_venv, default=[], metavar="NAME=VENV")
    parser.add_argument("--out", type=Path, help="the file of figures")
    return parser.parse_args(argv)


def main(argv=None):
    """Do what the command line says; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    figures = argv[0] if argv[:1] and argv[0] in SUBJECTS else TRAINING
    import_rows(figures)
    options = parse(argv)
    folder = Context.results / "quick" if options.quick else FOLDER
    path = options.out or folder / f"{figures}.json"
    if options.list or options.table:
        if options.table:
            options.table.write_text(table(load(path), figures), encoding="utf-8")
        for name in ROWS if options.list else ():
            known = load(path).get(name)
            value = f"{_shown(known['value'])} {known['unit']}" if known else "not measured"
            sys.stdout.write(f"{name:18} {value}\n")
        return 0
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    results = Context.results / "quick" if options.quick else Context.results
    context = Context(quick=options.quick, venvs=dict(options.peer), results=results)
    return 1 if run(options.only or list(ROWS), context, path, options.again) else 0


if __name__ == "__main__":
    sys.exit(main())
