"""What all kinds of noise must do, and some of them in plain Python."""

import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.model.protection import read_weights
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.plan import draw_change

from . import subjects

SEEDS = range(6)
STRONG = {"weight_flips": 0.1, "weight_drops": 0.2, "stuck_weight_bits": 0.1, "delay_flips": 0.1,
          "threshold_flips": 0.1, "weight_map": 3, "weight_clusters": 0.05, "event_insertion": 0.01,
          "event_repeats": 0.5, "address_flips": 0.2, "dead_neurons": 0.5,
          "saturated_neurons": 0.5,
          "weight_quantisation": 2}


def place(kind):
    return (0, 1) if kind.per_sample else (1, None)


def run(kind, change, subject):
    parameters = kind.parameters(change, subject)
    weight = read_weights(parameters.config, parameters.weight, kind.flips(change)).values
    return Emulator(parameters).run(kind.events(change, subject, 1), weight=weight,
                                    upsets=kind.upsets(change))


def draw(kind, subject, seed=3):
    level = STRONG.get(kind.name) or kind.levels[-1]
    return draw_change(subject, seed, kind, level, *place(kind)), kind.amount(level)


@pytest.mark.parametrize("name", KINDS)
def test_a_change_is_one_of_its_kind_and_is_what_it_was_as_text(name):
    kind = KINDS[name]
    for seed in SEEDS:
        subject = subjects.random_subject(seed, samples=4)
        change, amount = draw(kind, subject)
        kind.check(change, amount, subject, place(kind)[1])
        np.testing.assert_array_equal(kind.parse(change.tolist()), change)
        assert all(n >= 0 for n in kind.counts(change, subject, place(kind)[1]).values())
        again, _ = draw(kind, subject)
        np.testing.assert_array_equal(again, change)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_changes_what_the_model_does_unless_it_must_be_masked(name):
    kind, changed = KINDS[name], 0
    for seed in range(20):
        subject = subjects.random_subject(seed, samples=4)
        noisy = run(kind, draw(kind, subject)[0], subject)
        clean = Emulator(subject.parameters).run(subject.clean[1])
        changed += not np.array_equal(noisy.trace, clean.trace)
    assert (changed == 0) == (kind.verdict == "masked")


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.alike
                                  and name not in ("stalls", "congestion_wait", "threshold_drift",
                                                   "congestion_drop_new", "congestion_drop_old")])
def test_another_seed_draws_another_change(name):
    kind, subject = KINDS[name], subjects.random_subject(4, samples=4, inputs=8, neurons=12)
    one, other = (draw(kind, subject, seed)[0] for seed in (3, 4))
    assert one.tolist() != other.tolist()


@pytest.mark.parametrize("name", [n for n, kind in KINDS.items() if not kind.alike])
def test_a_change_that_was_not_drawn_is_refused(name):
    kind, subject = KINDS[name], subjects.random_subject(4, samples=4, inputs=8, neurons=12)
    change, amount = draw(kind, subject)
    wrong = np.concatenate([change, np.full((1, *change.shape[1:]), 1 << 40)])
    with pytest.raises(ValueError, match="must"):
        kind.check(wrong, amount, subject, place(kind)[1])


def grid(subject, sample):
    events = subject.clean[sample]
    return list(zip(events.ticks.tolist(), events.channels.tolist(), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_insertions_and_flipped_addresses_in_plain_python(seed):
    subject = subjects.random_subject(seed, samples=3)
    config = subject.parameters.config
    kind = KINDS["event_insertion"]
    change = draw_change(subject, seed, kind, 0.02, 0, 1).tolist()
    wanted = [tick * config.inputs + channel
              for tick in range(config.ticks) for channel in range(config.inputs)
              if subjects.word(seed, kind.number, 0, 1, tick, channel // 4, draw=channel % 4)
              < int(0.02 * 2**32)]
    assert change == wanted
    events = kind.events(np.array(change, np.int64), subject, 1)
    assert list(zip(events.ticks.tolist(), events.channels.tolist(), strict=True)) == sorted(
        set(grid(subject, 1)) | {divmod(k, config.inputs) for k in change})
    kind = KINDS["address_flips"]
    change = draw_change(subject, seed, kind, 0.2, 0, 1)
    times, channels = (a.tolist() for a in subject.sample(1))
    for event, bit in change.tolist():
        channels[event] ^= 1 << bit
    words = {(-(-time // config.tick_us), channel)
             for time, channel in zip(times, channels, strict=True)}
    sent, taken = kind.sent(change, subject, 1), kind.events(change, subject, 1)
    assert list(zip(sent.ticks.tolist(), sent.channels.tolist(), strict=True)) == sorted(words)
    assert list(zip(taken.ticks.tolist(), taken.channels.tolist(), strict=True)) == sorted(
        word for word in words if word[1] < config.inputs)
    assert kind.counts(change, subject, 1)["dropped"] == len(sent) - len(taken)


@pytest.mark.parametrize("name", ["congestion_wait", "congestion_drop_new", "congestion_drop_old"])
def test_a_link_of_half_a_word_per_tick(name):
    kind = KINDS[name]
    drawn = np.array([1, 1, 1, 6, 4, 8, 10])  # ticks; 4 words in 8 ticks, samples of 10
    change = kind.change(drawn, 1000)
    assert change.tolist() == [0, 2, 4, 1]


def test_a_full_queue_holds_up_or_loses_the_new_word_or_the_old_one():
    drawn = np.array([*[2] * 20, 20, 1000, 10])
    wait, new, old = (KINDS[f"congestion_{name}"].change(drawn, 1000).tolist()
                      for name in ("wait", "drop_new", "drop_old"))
    assert wait == new == old == [-1] * 20  # 20 words in 1000 ticks: none in the first ten
    drawn = np.array([*[2] * 20, 20, 20, 100])
    wait, new, old = (KINDS[f"congestion_{name}"].change(drawn, 1000).tolist()
                      for name in ("wait", "drop_new", "drop_old"))
    assert wait == list(range(20))
    assert new == [*range(16), *[-1] * 4]
    assert old == [*[-1] * 4, *range(16)]


def test_the_order_within_a_tick_alone_changes():
    subject = subjects.random_subject(8, samples=3, inputs=8)
    kind = KINDS["event_order"]
    change = draw_change(subject, 1, kind, 1.0, 0, 1)
    sent = kind.sent(change, subject, 1)
    words = list(zip(sent.ticks.tolist(), sent.channels.tolist(), strict=True))
    assert words != grid(subject, 1)
    assert sorted(words) == grid(subject, 1)
    assert sent.ticks.tolist() == subject.clean[1].ticks.tolist()
    with pytest.raises(ValueError, match="every event once"):
        kind.check(np.zeros_like(change), kind.amount(1.0), subject, 1)


def test_mismatch_is_in_proportion_and_of_the_asked_size():
    subject = subjects.random_subject(2, samples=3, neurons=12, inputs=8)
    for name in ("weight_mismatch", "threshold_mismatch"):
        kind = KINDS[name]
        values = kind.values(subject)
        shares = [draw_change(subject, 1, kind, 0.1, i, None)[values != 0] / values[values != 0]
                  for i in range(60)]
        large = np.abs(values[values != 0]) >= 10
        assert abs(np.concatenate([s[large] for s in shares]).std() - 0.1) < 0.02


def test_a_device_has_the_time_constants_of_the_plan():
    subject = subjects.random_subject(2, samples=3, synapse="exponential")
    kind, config = KINDS["tau_mismatch"], subject.parameters.config
    change = np.array([100_000, 0, 50_000])
    tables = kind.parameters(change, subject).tables
    factor = np.exp(-config.tick / (1.1 * config.tau_m))
    assert tables.low_m[1] == np.floor(2**16 * factor + 0.5)
    assert tables.low_s.tolist() == subject.parameters.tables.low_s.tolist()
    crossed = kind.counts(np.array([-900_000, 0, 0]), subject, None)
    assert crossed["clamped"] == 1  # tau_m stays above tau_s


def test_a_saturated_neuron_fires_at_every_touch_above_rest():
    kind, fired, silent = KINDS["saturated_neurons"], 0, 0
    for seed in range(20):
        subject = subjects.random_subject(seed, samples=3, neurons=12, inputs=8)
        change = np.arange(kind.size(subject))
        for parameters in (kind.parameters(change, subject), subject.parameters):
            trace = Emulator(parameters).run(subject.clean[1]).trace
            trace = trace[trace["neuron"] < kind.size(subject)]
            above = trace[(trace["fired"] == 0) & (trace["p"] > trace["q"])]
            if parameters is subject.parameters:
                silent += len(above)
            else:
                fired += int(trace["fired"].sum())
                assert not len(above)
    assert min(fired, silent) > 100
