"""The row of few bits fine-tunes the networks of another row, and goes on where it was."""

import rows.accuracy
import rows.bits
from registry import Context


def test_seeds_are_taken_over_once(tmp_path):
    context = Context(results=tmp_path)
    first, other = (rows.accuracy._folder(context, name) for name in ("one", "other"))
    for seed in (0, 1):
        (first / f"seed-{seed}").mkdir(parents=True)
        (first / f"seed-{seed}" / "steps.json").write_text("trained")
    rows.accuracy.start_from(context, "one", "other")
    (other / "seed-0" / "steps.json").write_text("fine-tuned")
    rows.accuracy.start_from(context, "one", "other")
    texts = [(other / f"seed-{seed}" / "steps.json").read_text() for seed in (0, 1)]
    assert texts == ["fine-tuned", "trained"]


def test_fine_tuning_is_that_of_the_example(tmp_path, monkeypatch):
    calls = []

    def seeds(path, folder, count, first):
        values = rows.accuracy.read_toml(path)
        calls.append((folder.name, count, values))
        figures = {"mean": 0.97, "sd": 0.0, "least": 0.97, "largest": 0.97}
        return {"float": figures, "fixed": figures | {"mean": 0.98},
                "seeds": [{"float": 0.97, "fixed": 0.98}]}  # fmt: skip

    monkeypatch.setattr(rows.accuracy, "train_seeds", seeds)
    value, detail = rows.bits.lowbit(Context(results=tmp_path, quick=True))
    assert value == 98.0
    assert detail["fixed by seed"] == [98.0]
    (name, count, trained), (other, _, tuned) = calls
    assert (name, other, count) == ("yinyang30", "lowbit", 1)
    assert "finetune" not in trained
    assert tuned["design"]["weight_bits"] == 4
    assert tuned["finetune"]["epochs"] == tuned["train"]["epochs"] == 1  # since it's quick
    assert tuned["train"] == trained["train"]  # or else they'd be trained again
    plain = rows.accuracy.read_toml(rows.accuracy.example("yinyang_4bit"))
    assert tuned["finetune"] == plain["finetune"] | {"epochs": 1}
