"""The step ``synth``: a design on real devices."""

from ...hw.core import NeuronCore
from ...hw.synthesis.devices import FAMILIES, find_device
from ...hw.synthesis.flow import synthesise
from ...hw.synthesis.makers import write_script
from ...hw.synthesis.tools import YOSYS, require
from ...model.parameters import Parameters
from ..settings import SynthConfig

__all__ = ["script", "synth"]

FOLDER = "synth"


def synth(run, *, devices=None, seeds=None):
    """Synthesise, place and route the core, with the design's parameters in its memories.

    Writes ``synth.json`` in the folder ``synth``, with a report of each device, and a folder of
    each with netlists, what the tools said, and a bitstream.

    Parameters
    ----------
    run : RunFolder
    devices : list of str, optional
        In place of the experiment's own.
    seeds : int, optional
        The same.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    own = run.experiment.synth or SynthConfig()
    wanted = SynthConfig(devices=tuple(devices or own.devices),
                         seeds=own.seeds if seeds is None else seeds)
    for name in wanted.devices:  # before time goes into the first
        require(YOSYS, *FAMILIES[find_device(name).family].programs)
    reports = []
    for device in wanted.devices:
        folder = run.path / FOLDER / device
        folder.mkdir(parents=True, exist_ok=True)
        # A core is elaborated once.
        core = NeuronCore(parameters.config, parameters)
        reports.append(synthesise(core, device, folder, seeds=wanted.seeds))
    run.write_json(f"{FOLDER}/synth.json", {"design": parameters.hash, "devices": reports})
    written = [f"{report['device']}/{report['bitstream']['file']}"
               for report in reports if report["bitstream"]]
    return [f"{FOLDER}/{name}" for name in (
        "synth.json", *(f"{device}/synthesis.json" for device in wanted.devices), *written)]


def script(run, maker, *, part=None, period=None):
    """Write a script that takes the run's Verilog through a maker's own tools.

    Parameters
    ----------
    run : RunFolder
    maker : str
        One of `hw.synthesis.makers.MAKERS`; also the name of the folder in ``synth``.
    part : str, optional
        The maker's name of a device, in place of the script's own.
    period : float, optional
        Of the clock, in ns; 10 ns if it's left out.

    Returns
    -------
    Path
        The script.

    Raises
    ------
    ValueError
        If there's no Verilog, or part or period can't be one.
    """
    verilog = run.need("build/core.v")
    folder = run.path / FOLDER / maker
    folder.mkdir(parents=True, exist_ok=True)
    options = {"part": part, "period": period}
    chosen = {name: value for name, value in options.items() if value is not None}
    return write_script(maker, verilog, folder, **chosen)[0]
