"""Designs that rows share: networks of the examples, trained with one seed and rounded."""

from registry import ENGINE, code_hash

from ranvier.sim.experiment import read_toml
from ranvier.sim.folder import RunFolder
from ranvier.sim.noise.subject import Subject
from ranvier.sim.seeds import train_seeds
from ranvier.train.buffer import choose_buffer
from ranvier.train.design import DesignConfig
from ranvier.train.network import Network
from ranvier.train.quantise import encode_dataset, quantise

from .accuracy import as_toml, example

FLIGHTS = 200  # words by which cursors are counted


def trained_run(context, name):
    """Return the run folder of an example, trained with its own seed; it's trained once."""
    source = example(name)
    values = read_toml(source)
    if "path" in values["data"]:
        values["data"]["path"] = str((source.parent / values["data"]["path"]).resolve())
    if context.quick:
        values["train"] |= {"epochs": 1}
    folder = context.results / "networks" / code_hash(ENGINE) / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "experiment.toml"
    path.write_text(as_toml(values), encoding="utf-8")
    train_seeds(path, folder, count=1)
    return RunFolder.open(folder / f"seed-{values.get('seed', 0)}")


def design(context, name, **changes):
    """Return `Parameters` of a trained example, with ``changes`` of its design, and its test words.

    The words are a list of `TickEvents`.
    """
    run = trained_run(context, name)
    values = vars(run.experiment.design) | changes
    network, settings = Network.load(run.path / "network.safetensors"), DesignConfig(**values)
    parameters, _ = quantise(network, settings)
    words = encode_dataset(run.data["test"], parameters.config)
    parameters, _ = choose_buffer(parameters, settings, words[:FLIGHTS])
    return parameters, words


def subject(context, name):
    """Return the `Subject` of a noise study: a trained example's design with its test words."""
    return Subject(design(context, name)[0], trained_run(context, name).data["test"])
