"""The file of a plan: JSON lines, a header and then one line per row.

The header says what the plan is for and ends with the SHA-256 of all the rest. A row has its
number, kind, level, instance, sample (null: all samples), and its change under the name that the
kind gives it.
"""

import hashlib
import json
from pathlib import Path

from ...model.files import write_atomically
from .kinds import KINDS
from .plan import Plan, Row, places
from .settings import NoiseConfig
from .subject import Subject

__all__ = ["FORMAT", "load_plan", "plan_hash", "row_text", "save_plan"]

FORMAT = "ranvier.plan/1"

_WHOLE = ("seed", "samples", "instances", "rows")
_HASHES = ("parameters", "data", "sha256")
_HEADER = {"format", "kinds", "levels", *_WHOLE, *_HASHES}


def row_text(row: Row) -> str:
    """Return a row as JSON text without its number, the same text for the same row."""
    return _text({"kind": row.kind.name, "level": row.level, "instance": row.instance,
                  "sample": row.sample, row.kind.field: row.change.tolist()})


def plan_hash(plan: Plan) -> str:
    """Return the SHA-256 of a plan's header and rows, as hexadecimal text."""
    return hashlib.sha256("".join(_parts(plan)).encode()).hexdigest()


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan to a file, atomically; the same plan gives the same bytes."""
    header, body = _parts(plan)
    header = f'{header[:-2]},"sha256":"{plan_hash(plan)}"}}\n'
    write_atomically(path, (header + body).encode())


def load_plan(path: Path, subject: Subject) -> Plan:
    """Read a plan and check all of it against the design and the samples that it's for.

    Raises
    ------
    ValueError
        If the file is missing, damaged, or for another design or other samples. The message names
        file, row and field.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} must be a plan, and there is no such file")
    try:
        lines = path.read_bytes().decode("ascii").split("\n")
        if len(lines) < 2 or lines[-1]:
            raise ValueError("the last line must end, and doesn't")
        return _plan(lines[0], lines[1:-1], subject)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _plan(first, lines, subject):
    header = _named("header", _object, first)
    settings = _named("header", _check_header, header, subject)
    levels = {name: values for name, values in settings.levels.items() if values}
    if header["rows"] != len(lines):
        raise ValueError(f"header: rows must be the {len(lines)} that follow, "
                         f"not {header['rows']}")
    expected = list(places(levels, settings.instances, len(subject)))
    if len(expected) != len(lines):
        raise ValueError(f"header: rows must be {len(expected)} for these levels, instances and "
                         f"samples, not {len(lines)}")
    rows = tuple(_named(f"row {i}", _row, line, i, place, subject)
                 for i, (line, place) in enumerate(zip(lines, expected, strict=True)))
    plan = Plan(seed=header["seed"], parameters=header["parameters"], data=header["data"],
                samples=len(subject), instances=settings.instances, levels=levels, rows=rows)
    if plan_hash(plan) != header["sha256"]:
        raise ValueError("header: sha256 must be that of header and rows, and isn't")
    return plan


def _check_header(header, subject):
    if header.get("format") != FORMAT:
        raise ValueError(f"format must be {FORMAT}, not {header.get('format')!r:.40}")
    _check_keys(header, _HEADER)
    for name in _WHOLE:
        if type(header[name]) is not int or not 0 <= header[name] < 1 << 64:
            raise ValueError(f"{name} must be a whole number, not {header[name]!r:.40}")
    for name in _HASHES:
        if not isinstance(header[name], str):
            raise ValueError(f"{name} must be text, not {header[name]!r:.40}")
    for name, own in (("parameters", subject.parameters.hash), ("data", subject.data_hash),
                      ("samples", len(subject))):
        if header[name] != own:
            raise ValueError(f"{name} must be {own}, not {header[name]}: the plan is for another "
                             "design or other samples")
    levels = header["levels"]
    if not isinstance(levels, dict) or not all(isinstance(v, list) for v in levels.values()):
        raise ValueError(f"levels must be lists of numbers by kind, not {levels!r:.60}")
    settings = NoiseConfig(kinds=tuple(levels), levels=levels, instances=header["instances"])
    if header["kinds"] != _kinds(levels):
        raise ValueError("kinds must say what this version says of them, and differ")
    return settings


def _row(line, index, place, subject):
    record = _object(line)
    kind, level, instance, sample = place
    _check_keys(record, {"row", "kind", "level", "instance", "sample", kind.field})
    wanted = {"row": index, "kind": kind.name, "level": level, "instance": instance,
              "sample": sample}
    for name, value in wanted.items():
        if type(record[name]) is not type(value) or record[name] != value:
            raise ValueError(f"{name} must be {value!r}, not {record[name]!r:.40}")
    change = _named(kind.field, kind.parse, record[kind.field])
    _named(kind.field, kind.check, change, kind.amount(level), subject, sample)
    return Row(*place, change)


def _check_keys(record, keys):
    if set(record) != keys:
        wrong = sorted(set(record) ^ keys)[0]
        raise ValueError(f"{wrong!r:.40} must {'' if wrong in keys else 'not '}be there")


def _named(name, check, *arguments):
    """Return what ``check`` returns; an error of its own begins with the name."""
    try:
        return check(*arguments)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _object(line):
    try:
        value = json.loads(line, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON, not {line!r:.40}: {error.msg}") from None
    except RecursionError:
        raise ValueError("must be JSON of two levels, not deeper") from None
    if not isinstance(value, dict):
        raise ValueError(f"must be a JSON object, not {line!r:.40}")
    return value


def _pairs(pairs):
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("must have no key twice")
    return record


def _parts(plan):
    """Return the text of the header without its hash, and of the rows."""
    header = {"format": FORMAT, "seed": plan.seed, "parameters": plan.parameters,
              "data": plan.data, "samples": plan.samples, "instances": plan.instances,
              "kinds": _kinds(plan.levels), "levels": plan.levels, "rows": len(plan.rows)}
    # A row is its number, and then the text that names it by its content.
    rows = (f'{{"row":{i},{row_text(row)[1:]}\n' for i, row in enumerate(plan.rows))
    return _text(header) + "\n", "".join(rows)


def _kinds(names):
    return {name: {"unit": KINDS[name].unit, KINDS[name].field: KINDS[name].meaning}
            for name in names}


def _text(record):
    return json.dumps(record, separators=(",", ":"))
