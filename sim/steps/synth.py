"""The step ``synth``: a design on real devices."""

from ...hw.core import NeuronCore
from ...hw.synthesis.devices import FAMILIES, find_device
from ...hw.synthesis.flow import synthesise
from ...hw.synthesis.tools import YOSYS, require
from ...model.parameters import Parameters
from ..experiment import SynthConfig

__all__ = ["synth"]

FOLDER = "synth"


def synth(run, *, devices=None, seeds=None):
    """Synthesise, place and route the core, with the design's parameters in its memories.

    Writes ``synth.json`` in the folder ``synth``, with a report of each device, and a folder of
    each with netlists and what the tools said.

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
        require(YOSYS, FAMILIES[find_device(name).family].program)
    reports = []
    for device in wanted.devices:
        folder = run.path / FOLDER / device
        folder.mkdir(parents=True, exist_ok=True)
        # A core is elaborated once.
        core = NeuronCore(parameters.config, parameters)
        reports.append(synthesise(core, device, folder, seeds=wanted.seeds))
    run.write_json(f"{FOLDER}/synth.json", {"design": parameters.hash, "devices": reports})
    return [f"{FOLDER}/synth.json",
            *(f"{FOLDER}/{device}/synthesis.json" for device in wanted.devices)]
