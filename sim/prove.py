"""The command ``ranvier prove``: the gateware's properties, for every input."""

import json
import logging
from importlib.metadata import version

from ..hw.formal.catalogue import catalogue
from ..hw.formal.solver import Z3, require_solver
from ..hw.synthesis.tools import YOSYS
from ..model.files import write_atomically

__all__ = ["FORMAT", "proofs_table", "prove"]

FORMAT = "ranvier.proofs/1"

logger = logging.getLogger(__name__)


def prove(folder, names=()):
    """Prove properties of the gateware at the size of a large core.

    Parameters
    ----------
    folder : Path
        Is made. Gets ``proofs.json``, and a folder per proof with what the tools read and said.
    names : sequence of str
        Of proofs. All of them if empty.

    Returns
    -------
    dict
        What ``proofs.json`` says: ``properties`` in all and how many were proven by ``induction``
        and ``bounded``, ``failed``, ``minutes``, ``versions``, and ``proofs``, as of
        `Proof.prove`.

    Raises
    ------
    ValueError
        If there's no proof of a name.
    RuntimeError
        If a program isn't installed or fails.
    """
    require_solver()
    chosen = _choose(names)
    results = []
    for number, proof in enumerate(chosen, 1):
        logger.info("proof %d of %d: %s", number, len(chosen), proof.name)
        results.append(proof.prove(folder / proof.name))
    proven = [result["mode"] for result in results if result["holds"]]
    report = {
        "format": FORMAT,
        "properties": len(results),
        "induction": proven.count("induction"),
        "bounded": proven.count("bounded"),
        "failed": len(results) - len(proven),
        "minutes": round(sum(result["seconds"] for result in results) / 60, 1),
        "versions": {program[0]: version(program[0]) for program in (YOSYS, Z3)},
        "proofs": results,
    }
    write_atomically(folder / "proofs.json", (json.dumps(report, indent=1) + "\n").encode())
    return report


def _choose(names):
    """Return the proofs of these names, all without any."""
    proofs = {proof.name: proof for proof in catalogue()}
    for name in names:
        if name not in proofs:
            raise ValueError(f"Proof must be one of {', '.join(proofs)}, not {name!r}")
    return [proofs[name] for name in names or proofs]


def proofs_table(report):
    """Return the results of proofs as text, a line each and one of the sums."""
    rows = [("proof", "size", "proven", "seconds", "property")]
    for one in report["proofs"]:
        rows.append((one["name"], one["size"], _outcome(one), f"{one['seconds']:.1f}",
                     one["property"]))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = ["  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)),
                        row[4]]) for row in rows]
    lines.append(
        f"{report['properties']} properties: {report['induction']} by induction, "
        f"{report['bounded']} bounded, {report['failed']} failed; {report['minutes']:.1f} minutes")
    for one in report["proofs"]:
        if not one["holds"]:
            reach = "" if one["reached"] else ", from a state that no search reached"
            lines.append(f"{one['name']} fails at {one['where']}{reach}: {one['trace']}")
    return "\n".join(lines)


def _outcome(one):
    if not one["holds"]:
        return "FAILED"
    return f"{one['mode']}, {one['depth']}"
