"""Row on critical levels: how much of each kind of noise spoken digits stand."""

from registry import ENGINE, row

from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.answers import DROPS, crossing_text
from ranvier.sim.noise.curves import critical_level
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.study import run_study

from .networks import subject as trained_subject

TRAININGS = {"plain": "spoken_digits", "aware": "spoken_digits_noise"}
INSTANCES, SEED = 59, 1
WORST, POINTS = "weight_flips", 5
"""The kind that the second network is trained for, and the points lost of the row's value."""


def over_chips(study):
    """Return the critical levels of curves through the ends of the intervals of `WORST`.

    These are over chips, on these samples.
    """
    levels = study["kinds"][WORST]["levels"]
    ends = zip(*(row["spread"]["interval"] for row in levels), strict=True)
    found = [critical_level([row["level"] for row in levels], end, study["clean"]["accuracy"],
                            POINTS, logarithmic=True) for end in ends]
    return [crossing and crossing.level for crossing in found]


def table(studies):
    """Return the critical levels of all kinds under all trainings as Markdown."""
    heads = " | ".join(f"{points} lost, {' / '.join(studies)}" for points in DROPS)
    lines = [f"| kind | unit | {heads} |", "|---" * (2 + len(DROPS)) + "|"]
    first, *_ = studies.values()
    for name, kind in first["kinds"].items():
        cells = [" / ".join(crossing_text(study["kinds"][name]["critical"][str(points)])
                            for study in studies.values()) for points in DROPS]
        lines.append(f"| `{name}` | {kind['unit']} | {' | '.join(cells)} |")
    return "\n".join(lines)


@row("digits-noise", f"spoken digits, plain / noise-aware: flips of weight bits at which {POINTS} "
     f"points are lost, {INSTANCES} chips; below: such levels of every kind", "per bit",
     (*ENGINE, "sim/noise/**/*.py", "bench/rows/critical.py",
      *(f"examples/{name}.toml" for name in TRAININGS.values())))
def digits_noise(context):
    """Every kind at its default levels, on all test words."""
    studies = {}
    for training, name in TRAININGS.items():
        subject = trained_subject(context, name)
        settings = NoiseConfig(kinds=tuple(KINDS), instances=2 if context.quick else INSTANCES)
        studies[training] = run_study(subject.parameters, subject.dataset, settings, SEED,
                                      context.results / "digits-noise" / training, workers=2)
    crossings = [study["kinds"][WORST]["critical"][str(POINTS)] for study in studies.values()]
    return [crossing and crossing["level"] for crossing in crossings], {
        "interval": [over_chips(study) for study in studies.values()],
        "table": table(studies), "clean": {
            training: {"accuracy": 100 * study["clean"]["accuracy"],
                       "interval": [100 * end for end in study["clean"]["interval"]]}
            for training, study in studies.items()},
        "worst first": {training: study["ranking"] for training, study in studies.items()}}
