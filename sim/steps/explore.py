"""The step ``explore``: what designs of the trained network do, and what they cost."""

from dataclasses import replace

from ...hw.synthesis.predict import error_of
from ...hw.synthesis.tools import YOSYS, require
from ...model.files import write_atomically
from ..designs import Subject
from ..explore.picture import explore_png
from ..explore.settings import ExploreConfig
from ..explore.study import explore_csv, run_explore
from ..tables import table_files, write_table

__all__ = ["explore"]

FOLDER = "explore"


def explore(run, *, synthesise=False, workers=None, dask=None):
    """Measure the trained network on every design of the table ``[explore]``.

    Writes ``explore.json``, ``explore.csv`` and ``explore.png`` in the folder ``explore``.

    Parameters
    ----------
    run : RunFolder
    synthesise : bool
        Synthesise the points of the front, whatever the table says.
    workers, dask : int and str, optional
        Where points are measured: see `open_pool`.
    """
    table = run.experiment.explore or ExploreConfig()
    if synthesise:
        table = replace(table, synthesise=True)
    if table.synthesise:
        require(YOSYS)  # before time goes into the points
    rows = run_explore(run, table, workers=workers, dask=dask)
    test = len(run.data["test"])
    run.write_json(f"{FOLDER}/explore.json", {
        "rows": rows, "device": table.device, "error": error_of(table.device),
        "samples": min(table.samples or test, test),
        "cycle_samples": min(table.cycle_samples, test), "network": Subject.key(run)})
    write_table(run.path / FOLDER / "explore.csv", explore_csv(rows))
    write_atomically(run.path / FOLDER / "explore.png", explore_png(rows, table.device))
    names = ("explore.json", *table_files("explore.csv"), "explore.png")
    return [f"{FOLDER}/{name}" for name in names]
