"""Studies of other runs beside a run's own: what a training or a protection buys, and costs."""

from pathlib import Path

from ..model.parameters import Parameters
from .folder import RunFolder
from .noise.answers import DROPS, crossing_text
from .noisepicture import beside_picture
from .resources import memory_bits
from .summary import synthesised

__all__ = ["beside_content"]


def beside_content(run, others):
    """Return what the page of a run shows of it and of other runs, None without others.

    Parameters
    ----------
    run : RunFolder
        With the files of all steps before the report.
    others : sequence of path
        Folders of runs with a study of noise on the same test samples.

    Raises
    ------
    ValueError
        If there is no such run, its study is of other samples, or has no kind in common.
    """
    if not others:
        return None
    others = [Path(other) for other in others]
    names = [path.resolve().name for path in (run.path, *others)]
    studies = {}
    for path, name in zip((run.path, *others), names, strict=True):
        # Names of folders, as long as they tell runs apart.
        studies[name if names.count(name) == 1 else str(path)] = _study(RunFolder.open(path))
    own = next(iter(studies.values()))
    for path, study in zip(others, list(studies.values())[1:], strict=True):
        if study["noise"]["data"] != own["noise"]["data"]:
            raise ValueError(f"{path} must have a study of the same test samples, not of others")
    kinds = [name for name in own["noise"]["ranking"]
             if all(name in study["noise"]["kinds"] for study in studies.values())]
    if not kinds:
        raise ValueError("Runs side by side must have a kind of noise in common, and have none")
    return {"runs": [{"title": name, **study["row"]} for name, study in studies.items()],
            "kinds": [_kind(name, studies) for name in kinds]}


def _study(run):
    """Return a run's study, and what its design is and costs."""
    parameters = Parameters.load(run.need("design.safetensors"))
    noise = run.read_json("noise/noise.json")
    if noise["parameters"] != parameters.hash:
        raise ValueError(f"{run.path} must have a study of its design, not of an earlier one")
    return {"noise": noise, "row": {
        "clean": noise["clean"]["accuracy"], "protection": parameters.config.protection,
        "bits": sum(memory_bits(run.read_json("build/ports.json")).values()),
        "lut4": {device["device"]: device["cells"]["LUT4"]
                 for device in synthesised(run, parameters.hash)}}}


def _kind(name, studies):
    """Return what the page says of a kind that all runs have studied, and its picture."""
    found = {title: study["noise"]["kinds"][name] for title, study in studies.items()}
    return {"title": name.replace("_", " "),
            "picture": beside_picture({title: kind["levels"] for title, kind in found.items()},
                                      unit=next(iter(found.values()))["unit"]),
            "rows": [{"title": title, "kept": kind["kept"], "critical": [
                crossing_text(kind["critical"][str(drop)]) for drop in DROPS]}
                for title, kind in found.items()]}
