"""The step ``build``: a design to Verilog."""

from ...hw.verilog import build as build_verilog
from ...model.parameters import Parameters

__all__ = ["build"]


def build(run):
    """Generate the core with the design's parameters as its initial memories.

    Writes the folder ``build``: ``core.v``, ``ports.json`` and the memory images.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    folder = run.path / "build"
    folder.mkdir(exist_ok=True)
    build_verilog(parameters.config, parameters, folder)
    return sorted(str(p.relative_to(run.path)) for p in folder.rglob("*") if p.is_file())
