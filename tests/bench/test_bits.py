"""The rows of few bits fine-tune the networks of another row, and go on where they were."""

import json

import picture
import pytest
import rows.accuracy
import rows.bits
from registry import Context


def test_seeds_are_taken_over_once(tmp_path):
    context = Context(results=tmp_path)
    first, other = (rows.accuracy.seeds_folder(context, name) for name in ("one", "other"))
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


def points(seed):
    """Two points of one seed, as of `run_bits`."""
    return [
        {"kind": kind, "bits": bits, "before": 0.5 + 0.1 * seed, "before_low": 0.4,
         "before_high": 0.7, "after": 0.9 + 0.02 * seed, "after_low": 0.8, "after_high": 1.0,
         "epoch": 3}
        for kind, bits in (("weights", 4), ("delays", 2))
    ]  # fmt: skip


def test_points_of_seeds_are_pooled():
    found = rows.bits.pooled([points(seed)[1] for seed in range(3)])
    assert (found["kind"], found["bits"]) == ("delays", 2)
    assert found["before by seed"] == [0.5, 0.6, 0.7]
    assert found["before"] == pytest.approx(0.6)
    # Of 3 seeds: 4.303 standard errors.
    half = pytest.approx(4.303 * 0.02 / 3**0.5, rel=1e-3)
    assert found["after"] - found["after_low"] == half
    assert found["after_high"] - found["after"] == half


def test_bits_are_measured_before_and_after(tmp_path, monkeypatch):
    calls = []

    def study(network, design, data, widths, settings, seed, folder):
        calls.append((network, design.weight_bits, settings.epochs, seed, folder))
        assert set(data) == {"train", "validation", "test"}
        return points(seed)

    monkeypatch.setattr(rows.bits, "run_seeds", lambda *_: {"float": {"mean": 98.9}})
    monkeypatch.setattr(rows.bits, "trained", lambda *_: ["first", "second"])
    monkeypatch.setattr(rows.bits, "run_bits", study)
    value, detail = rows.bits.bits(Context(results=tmp_path))
    assert value == pytest.approx([55.0, 91.0])
    assert [row["kind"] for row in detail["rows"]] == ["weights", "delays"]
    assert [call[:4] for call in calls] == [
        ("first", 8, rows.bits.EPOCHS, 0), ("second", 8, rows.bits.EPOCHS, 1)]
    folders = [call[4].relative_to(tmp_path).parts[1:] for call in calls]
    assert folders == [("bits", "seed-0"), ("bits", "seed-1")]
    entry = {"id": "bits", "detail": detail}
    (tmp_path / "figures.json").write_text(json.dumps([entry]))
    picture.main("bits", tmp_path / "bits.png", tmp_path / "figures.json")
    assert (tmp_path / "bits.png").read_bytes().startswith(b"\x89PNG")


def test_the_parity_curve_has_a_picture(tmp_path):
    curve = [{"tick": 0.1, "cosine": 1.0, "accuracy": 99.0},
             {"tick": 1.0, "cosine": 0.7, "accuracy": 86.0}]  # fmt: skip
    detail = {"exact accuracy": 99.1, "mean curve": curve, "by seed": [{"curve": curve}]}
    source = tmp_path / "figures.json"
    source.write_text(json.dumps([{"id": "parity", "detail": detail}]))
    picture.main("parity", tmp_path / "parity.png", source)
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
