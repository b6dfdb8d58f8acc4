"""A campaign: many single faults, each run on the model and classed by what came of it."""

import hashlib
import json
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from ...model.emulator import Emulator
from ...model.files import write_atomically
from ..compare import spikes_of
from ..tables import table_text, write_table
from ..workers import in_order, open_pool
from .divergence import critical_spikes
from .faults import Fault, draw_faults, memory_bits, neuron, population, run_fault, told
from .moved import distances
from .outcomes import Outcome, classify, first_divergence
from .sampling import pooled_share
from .statistics import wilson
from .subject import Subject

__all__ = ["FAULTS", "HEADER", "PARTS", "run_campaign"]

FAULTS, PARTS = "faults.csv", "faults"
AT_ONCE = 256  # faults in a task
HEADER = ("fault", *Fault._fields, "layer", "neuron", "outcome", "divergence_tick",
          "divergence_neuron", "spikes", "victor_purpura", "van_rossum", "decision")


def run_campaign(subject: Subject, seed: int, count: int, folder: Path, *, progress: bool = False,
                 workers: int | None = None, dask: str | None = None) -> dict:
    """Draw single faults and run each on the model.

    Parameters
    ----------
    subject : Subject
    seed : int
        Of the draws.
    count : int
        Number of faults: see `ranvier.sim.noise.sampling.fault_sample`.
    folder : path
        Receives ``faults.csv``, a line for each fault, and the folder ``faults``, in which a later
        call finds what is done.
    progress : bool
    workers, dask
        See `ranvier.sim.workers.open_pool`. The result doesn't depend on them.

    Returns
    -------
    dict
        ``count``; ``critical``, the share of all bits' faults that change the decision, with its
        ``interval``; ``memories``, `_memory` of each; ``layers`` and ``bits``, counts of outcomes
        by memory and layer, and by memory and bit; ``divergence``, `critical_spikes`.
    """
    folder = Path(folder)
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    faults = draw_faults(subject, seed, count)
    parts = [faults[start : start + AT_ONCE] for start in range(0, count, AT_ONCE)]
    paths = [folder / PARTS / f"{_digest(subject, part)}.json" for part in parts]
    done = [json.loads(path.read_bytes()) if path.is_file() else None for path in paths]
    tasks = ((subject, part) for part, rows in zip(parts, done, strict=True) if rows is None)
    rows = []
    with (open_pool(workers, dask) as pool,
          tqdm(total=count, unit="fault", disable=not progress) as bar):
        fresh = in_order(pool, run_faults, tasks)
        for part, path, found in zip(parts, paths, done, strict=True):
            if found is None:
                found = next(fresh)
                write_atomically(path, json.dumps(found).encode())
            rows += found
            bar.update(len(part))
    table = [(i, *fault, *row) for i, (fault, row) in enumerate(zip(faults, rows, strict=True))]
    write_table(folder / FAULTS, table_text(HEADER, table))
    for path in set((folder / PARTS).glob("*.json")) - set(paths):
        path.unlink()
    records = [dict(zip(HEADER, row, strict=True)) for row in table]
    return _figures(subject, records) | {"divergence": critical_spikes(subject, records)}


def run_faults(subject: Subject, faults: list[Fault]) -> list[list]:
    """Return what `HEADER` has of each fault from its layer on."""
    config, clean, rows = subject.parameters.config, {}, []
    emulator, tau = Emulator(subject.parameters), config.tau_s / config.tick
    for fault in faults:
        if fault.sample not in clean:
            clean[fault.sample] = emulator.run(subject.clean[fault.sample])
        before, after = clean[fault.sample], run_fault(subject, fault, emulator)
        corrected, detected = told(subject, fault, after)
        outcome = classify(before, after, corrected=corrected, detected=detected,
                           lingers=fault.tick < 0)
        place = first_divergence(before, after)
        spikes, others = spikes_of(before.trace), spikes_of(after.trace)
        rows.append([population(subject, fault), neuron(subject, fault), outcome.value,
                     *((None, None) if place is None else place), len(others) - len(spikes),
                     *distances(spikes, others, tau), after.decision])
    return rows


def _digest(subject, faults):
    text = repr((subject.parameters.hash, subject.data_hash, subject.behaviour, HEADER, faults))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _figures(subject, records):
    memories, layers, bits = {}, {}, {}
    for record in records:
        memory, outcome = record["memory"], record["outcome"]
        for counts, place in ((memories, memory), (layers, f"{memory}, {record['layer']}"),
                              (bits, f"{memory}, bit {record['bit']}")):
            counts.setdefault(place, Counter())[outcome] += 1
    sizes = {name: words * width for name, (words, width) in memory_bits(subject).items()}
    drawn = {name: counts.total() for name, counts in memories.items()}
    hits = {name: counts[Outcome.CRITICAL.value] for name, counts in memories.items()}
    share, interval = pooled_share(hits, {n: min(drawn[n], sizes[n]) for n in drawn},
                                   {name: sizes[name] for name in drawn})
    return {
        "count": len(records), "critical": share, "interval": list(interval),
        "memories": {name: _memory(counts, sizes[name]) for name, counts in memories.items()},
        "layers": {name: dict(counts) for name, counts in layers.items()},
        "bits": {name: dict(counts) for name, counts in bits.items()}}


def _memory(counts, bits):
    """Return what became of a memory's faults: bits, faults, critical share, outcomes."""
    faults, critical = counts.total(), counts[Outcome.CRITICAL.value]
    return {"bits": bits, "faults": faults, "critical": critical / faults,
            "interval": list(wilson(critical / faults, faults)),
            "outcomes": {outcome.value: counts[outcome.value] for outcome in Outcome}}
