"""Searches for the settings with which an experiment's network does best on the validation set.

Optuna asks and is told here, in the main process; a trial is a plain function that any worker can
run. Every trial's suggestion follows from the seed, its number and the results up to
``number - workers``, so a search that was interrupted goes on as if it hadn't been.
"""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np

from ..model.files import write_atomically
from ..train.datasets import load_dataset
from ..train.schedule import kept_epoch
from ..train.trainer import train
from .experiment import load_experiment, make_experiment, section_hash
from .folder import RunFolder
from .searchpicture import draw
from .workers import in_order, open_pool

__all__ = ["search"]

BEST = "best.toml"
JOURNAL = "journal.log"
PATHS = ("path", "train_path", "test_path", "validation_path")

logger = logging.getLogger(__name__)


def search(source, path, *, trials, workers=None, dask=None, seed=None):
    """Train an experiment with ``trials`` settings, drawn where good ones seem to be.

    What may change is in the experiment's table ``[search]``. The accuracy on the validation set
    counts; the test set isn't looked at. All trials have the experiment's seed. Writes
    ``search.json``, ``search.png`` and ``best.toml``, an experiment with the best settings, and
    keeps each trial's network in ``trials``. A folder with fewer trials is gone on with.

    Parameters
    ----------
    source, path : Path
        The TOML file and the folder.
    trials : int
        Trials in all, at least 1.
    workers, dask : int and str, optional
        Where they run: see `open_pool`.
    seed : int, optional
        In place of the experiment's own.

    Returns
    -------
    dict
        The content of ``search.json``.

    Raises
    ------
    ValueError
        If the experiment has no table ``[search]`` or its data no validation set, or the folder is
        of another search.
    RuntimeError
        If no trial succeeds, a package is missing, or a cluster can't be reached.
    """
    if trials < 1:
        raise ValueError(f"Number of trials must be at least 1, not {trials}")
    optuna, _ = _packages()
    if not load_experiment(source).search:
        raise ValueError(f"{source}: search must name the settings to search in, and is missing")
    run = RunFolder.create(source, Path(path).absolute(), seed=seed)
    if "validation" not in run.data:
        raise ValueError("Data of a search must have a validation set, "
                         f"not only {', '.join(sorted(run.data))}: set data.validation_part")
    study = _Study(optuna, run)
    with open_pool(workers, dask) as pool:
        for number, result in in_order(pool, _trial, study.tasks(trials)):
            study.tell(number, result)
            logger.info("trial %d: %s", number, _told(result))
    return _write(run, study.rows())


def _packages():
    """Return Optuna and the writer of TOML, which not every installation has."""
    try:
        import optuna
        import tomli_w
    except ImportError as error:
        raise RuntimeError(f"A search must have the package {error.name}, and it's missing: "
                           "run `pip install 'ranvier[search]'`") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna, tomli_w


class _Study:
    """The trials of a folder, in Optuna's journal."""

    def __init__(self, optuna, run):
        self._optuna, self._run = optuna, run
        self._ranges = run.experiment.search
        self._asked = {}
        backend = optuna.storages.journal.JournalFileBackend(str(run.path / JOURNAL))
        self._study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend), study_name="search",
            direction="maximize", load_if_exists=True)
        sections = section_hash(run.experiment, ("seed", "network", "train", "search"))
        key = hashlib.sha256(f"{sections} {run.data_hash}".encode()).hexdigest()
        if self._study.user_attrs.setdefault("key", key) != key:
            raise ValueError(f"{run.path} must be of this search, not of one with other settings, "
                             "data or seed: choose another folder")
        self._study.set_user_attr("key", key)

    def tasks(self, count):
        """Yield the arguments of each trial to run, up to ``count`` in all: unfinished ones first.

        A trial is asked for when it's drawn.
        """
        running = self._optuna.trial.TrialState.RUNNING
        begun = self._study.get_trials(deepcopy=False)
        for old in begun:
            if old.state == running:
                self._sample(old.number)
                yield self._task(self._optuna.trial.Trial(self._study, old._trial_id))
        for number in range(len(begun), count):
            self._sample(number)
            yield self._task(self._study.ask())

    def _sample(self, number):
        """Let suggestions for one trial follow from the seed and its number."""
        seed = np.random.SeedSequence([self._run.experiment.seed, number]).generate_state(1)
        self._study.sampler = self._optuna.samplers.TPESampler(seed=int(seed[0]))

    def _task(self, trial):
        """Return the arguments of a trial, after drawing its settings."""
        for name, values in self._ranges.items():
            if values.choices:  # by their places, for Optuna takes no lists
                trial.suggest_categorical(name, list(range(len(values.choices))))
            elif isinstance(values.low, int) and isinstance(values.high, int):
                trial.suggest_int(name, values.low, values.high, log=values.log)
            else:
                trial.suggest_float(name, values.low, values.high, log=values.log)
        self._asked[trial.number] = trial
        folder = self._run.path / "trials" / str(trial.number)
        return trial.number, changed(self._run, self._settings(trial.params)), folder

    def _settings(self, params):
        return {name: values.choices[params[name]] if values.choices else params[name]
                for name, values in self._ranges.items()}

    def tell(self, number, result):
        """Write a trial's result down."""
        self._asked[number].set_user_attr("result", result)
        if "failed" in result:
            self._study.tell(number, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(number, result["accuracy"])

    def rows(self):
        """Return the number, the settings and the result of each trial."""
        return [{"number": trial.number, "settings": self._settings(trial.params),
                 **trial.user_attrs["result"]}
                for trial in self._study.get_trials(deepcopy=False)
                if "result" in trial.user_attrs]


def changed(run, settings):
    """Return the values of a run's experiment with some settings changed, and absolute paths."""
    values = run.read_json("run.json")["values"]
    del values["search"]
    for name, value in settings.items():
        table, key = name.split(".")
        values[table][key] = value
    for table, names in (("data", PATHS), ("noise", ("fault_map",))):
        resolved, there = getattr(run.experiment, table), values.get(table, {})
        there |= {name: str(Path(getattr(resolved, name)).absolute())
                  for name in names if there.get(name)}
    return values


def _trial(number, values, folder):
    """Train with the values of an experiment. Returns its number, and the result for JSON."""
    try:
        experiment = make_experiment(values, f"trial {number}")
    except ValueError as error:
        return number, {"failed": str(error)}
    data = load_dataset(experiment.data)
    del data["test"]
    try:
        config = experiment.network_config(data["train"].n_channels, data["train"].n_classes)
        _, history = train(
            config, experiment.train, data, experiment.seed, folder, progress=False)
    except (ValueError, ArithmeticError) as error:
        return number, {"failed": str(error)}
    kept = history[kept_epoch(history, experiment.train.patience) - 1]
    return number, {
        "accuracy": kept["accuracy"]["validation"], "validation_loss": kept["validation_loss"],
        "epoch": kept["epoch"], "epochs": len(history),
        "seconds": sum(record["seconds"] for record in history)}


def _told(result):
    if "failed" in result:
        return f"failed, {result['failed']}"
    return f"validation {result['accuracy']:.2%} after {result['epochs']} epochs"


def _write(run, rows):
    """Write the files of a search. Returns the content of ``search.json``."""
    _, tomli_w = _packages()
    done = [row for row in rows if "failed" not in row]
    if not done:
        raise RuntimeError(f"A trial must succeed, and none did: {rows[0]['failed']}")
    best = max(done, key=lambda row: (row["accuracy"], -row["validation_loss"]))
    result = {"best": best, "trials": rows, "samples": len(run.data["validation"])}
    run.write_json("search.json", result)
    write_atomically(run.path / "search.png", draw(done, run.experiment.search, best["number"]))
    text = tomli_w.dumps(changed(run, best["settings"]))
    head = f"# The best of {len(rows)} trials, {best['accuracy']:.2%} on the validation set.\n"
    write_atomically(run.path / BEST, (head + text).encode())
    return json.loads((run.path / "search.json").read_text(encoding="utf-8"))
