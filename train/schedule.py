"""How the step sizes change in the course of a training, and when it ends."""

import math

__all__ = ["best_epoch", "kept_epoch", "step_factor", "stops"]

SCHEDULES = ("cosine", "exponential", "constant")


def step_factor(step: int, steps: int, *, schedule: str, final: float, warmup: int) -> float:
    """Return the factor on the step sizes.

    Parameters
    ----------
    step, steps : int
        Number of the step, from 0, and how many the whole training has.
    schedule : str
        ``"cosine"`` or ``"exponential"``: from 1 to ``final``. ``"constant"``: 1.
    final : float
        The factor after the last step.
    warmup : int
        Steps over which the factor rises from 0, along a line, on top of the schedule.
    """
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    part = step / steps
    if schedule == "cosine":
        return rise * (final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * part)))
    return rise * (final**part if schedule == "exponential" else 1.0)


def best_epoch(history: list[dict]) -> int:
    """Return the number, from 1 on, of the epoch with the best validation accuracy.

    Of equals it's the one with the lowest validation loss, and of those the first.

    Parameters
    ----------
    history : list of dict
        Records as `trainer.train` gives them, with a validation set. At least one.
    """
    return max(history, key=lambda r: (r["accuracy"]["validation"], -r["validation_loss"]))["epoch"]


def kept_epoch(history: list[dict], patience: int) -> int:
    """Return the number of the epoch whose parameters a training gives: the best, or the last."""
    return best_epoch(history) if patience else len(history)


def stops(history: list[dict], epochs: int, patience: int) -> bool:
    """Return whether a training with this history is over.

    It is after ``epochs`` epochs, or ``patience`` epochs after the best one if that isn't 0.
    """
    if len(history) >= epochs:
        return True
    return bool(patience and history) and len(history) - best_epoch(history) >= patience
