"""A design space, and what fits which device, as text for a terminal."""

from ...hw.synthesis.predict import LOGIC
from .picture import way

__all__ = ["explore_table", "fit_table"]

HEAD = ("", "#", "weight", "trace", "tick", "banks", "rows and delays", "accuracy", "cycles",
        "Kibit", "block RAM", "LUT4")  # fmt: skip
NAMES = {LOGIC: "logic cells", "block RAM": "block RAMs", "multiplier": "multipliers"}


def _number(value, scale=1):
    return "-" if value is None else f"{value / scale:,.0f}"


def explore_table(result):
    """Return the points of ``explore.json`` as text; those on the front have a star."""
    synthesised = any(row["synthesised"] for row in result["rows"])
    lines = [[*HEAD, *(["synthesised"] if synthesised else [])]]
    for row in result["rows"]:
        mark = "*" * ("all" in row["front"]) + "=" * row["own"]
        chosen = [mark, str(row["number"]), str(row["weight_bits"]), str(row["trace_bits"]),
                  f"{row['tick']:g}", str(row["banks"]), way(row)]
        if row["failed"]:
            lines.append([*chosen, f"failed: {row['failed']}"])
            continue
        lines.append([*chosen, f"{row['accuracy']:.2%}", _number(row["cycles"]),
                      _number(row["memory_bits"], 1024), _number(row["block_rams"]),
                      _number(row["lut4"]),
                      *([_number(row["synthesised"] and row["synthesised"]["LUT4"])]
                        if synthesised else [])])
    return "\n".join([*_columns(lines), *_notes(result)])


def _columns(lines):
    """Return lines with their cells below each other; what a line has too few is left out."""
    full = [line for line in lines if len(line) == len(lines[0])]
    widths = [max(len(line[k]) for line in full) for k in range(len(lines[0]))]
    left = (0, 6)  # marks and words
    for line in lines:
        yield "  ".join(
            cell.ljust(width) if k in left or len(line) < len(lines[0]) else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=False))).rstrip()


def _notes(result):
    yield (f"* nothing is better in accuracy, cycles, memory and LUTs; = the run's design. "
           f"Accuracy of {result['samples']} test samples, cycles the mean of "
           f"{result['cycle_samples']}.")
    yield (f"LUT4 on {result['device']}, predicted: of synthesised cores none was off by more than "
           f"{result['error']['LUT4']:.0%}.")
    pairs = [(row["lut4"], row["synthesised"]["LUT4"]) for row in result["rows"]
             if row["synthesised"] and "LUT4" in row["synthesised"]]
    if pairs:
        worst = max(abs(predicted / real - 1) for predicted, real in pairs)
        yield f"Here, of {len(pairs)} that were synthesised, by {worst:.1%} at most."


def fit_table(result):
    """Return the verdicts of ``fit.json`` as text."""
    return "\n".join(line for report in result["devices"] for line in _device(report))


def _device(report):
    needs = ", ".join(f"{need['needed']:,} of {need['has']:,} {NAMES[kind]}" + (
        " TOO MANY" if need["needed"] > need["has"] else "")
        for kind, need in report["needs"].items())
    verdict = "fits" if report["fits"] else "doesn't fit"
    close = " (too close to tell: `ranvier synth` does)" if report["close"] else ""
    yield f"{report['device']} ({report['part']}): {verdict}{close}"
    yield f"  {needs}"
    if report["fits"]:
        return
    for one in report["changes"]:
        change = ", ".join(f"{name} = {value}" for name, value in one["change"].items())
        effect = "changes results" if one["results_change"] else "same results"
        yield f"  would fit with {change} ({effect}): " + ", ".join(
            f"{need['needed']:,} {NAMES[kind]}" for kind, need in one["needs"].items())
    if not report["changes"]:
        yield "  none of the changes that were tried makes it fit"
    if report["larger"]:
        yield f"  as it is, it fits {report['larger']}"
