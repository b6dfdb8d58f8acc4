"""The step ``report``: the files of all other steps to a page and a summary."""

import time

from ...model.files import write_atomically
from ...model.parameters import Parameters
from ..report import gather, render
from ..resources import memory_bits
from ..summary import make_summary

__all__ = ["report"]


def report(run, *, beside=()):
    """Write ``report.html`` and ``summary.json``, with the studies of other runs' folders."""
    began = time.monotonic()
    parameters = Parameters.load(run.need("design.safetensors"))
    bits = memory_bits(run.read_json("build/ports.json"))
    content = gather(run, parameters, bits, beside)
    seconds = time.monotonic() - began
    summary = run.stamp() | make_summary(run, memory_bits=bits, seconds=seconds)
    write_atomically(run.path / "report.html", render(content, summary).encode())
    run.write_json("summary.json", summary)
    return ["report.html", "summary.json"]
