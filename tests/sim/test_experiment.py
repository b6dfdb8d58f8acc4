import hashlib
import json
import re
import tomllib
from dataclasses import asdict, replace

import pytest

from ranvier.sim.experiment import Experiment, load_experiment, make_experiment, section_hash
from ranvier.sim.noise import kinds
from ranvier.sim.settings import BitsConfig
from ranvier.train.config import NetworkConfig

from .experiments import TINY, mapped, write


@pytest.fixture
def tiny(tmp_path):
    return load_experiment(write(tmp_path))


KINDS = 'kinds = ["input_jitter", "event_loss", "weight_flips"]'

# What is replaced by what in the tiny experiment, and the whole sentence after the file's name.
BAD = [
    ("epochs = 2", "epocs = 2", "train.epocs must be a known key, and isn't one: "
     "did you mean epochs?"),
    ("epochs = 2", "epochs = 2\nqqq = 1", "train.qqq must be a known key, and isn't one: "
     "the keys here are epochs, batch, "),
    ("[train]", "[trian]", "trian must be a known key, and isn't one: did you mean train?"),
    ("[cosim]", "[cosim]\nwaves = true", "cosim.waves must be a known key, and isn't one: "
     "the keys here are cxxrtl_samples, cocotb_samples, simulator, stall"),
    ("epochs = 2", "", "train.epochs must be given, and is missing"),
    ("seed = 3", "", "seed must be given, and is missing"),
    ("seed = 3", "seed = -1", "seed must be from 0 to 2**63 - 1, not -1"),
    ("seed = 3", "seed = true", "seed must be a whole number, not True"),
    ("epochs = 2", 'epochs = "2"', "train.epochs must be a whole number, not '2'"),
    ("epochs = 2", "epochs = 2.0", "train.epochs must be a whole number, not 2.0"),
    ("epochs = 2", "epochs = 0", "train: epochs must be a whole number of at least 1, not 0"),
    ("[12]", "12", "network.hidden must be a list in brackets, not 12"),
    ("[12]", "[12.5]", "network.hidden[0] must be a whole number, not 12.5"),
    ("= 0.1\n", "= 2020-01-01\n", "network.delay_min must be a number, not '2020-01-01'"),
    ('"first-spike"', "true", "network.readout must be text in quotes, not True"),
    ("adaptive = false", "adaptive = 0", "network.adaptive must be true or false, not 0"),
    ('"first-spike"', '"first"', "network: Readout must be one of first-spike, spike-count, "
     "leaky, max, not 'first'"),
    ("epochs = 2", 'epochs = 2\nloss = "hinge"', "train: loss must be one of cross-entropy, "
     "distance, cross-entropy+distance, not 'hinge'"),
    ("[cosim]", '[search]\n"train.batch" = { low = 3, hihg = 5 }\n[cosim]',
     "search.train.batch.hihg must be a known key, and isn't one: did you mean high?"),
    ("[cosim]", '[search]\n"train.batch" = 5\n[cosim]',
     "search.train.batch must be a table, not 5"),
    ("[cosim]", '[search]\n"train.batch" = { low = "3", high = 5 }\n[cosim]',
     "search.train.batch.low must be a whole number, not '3'"),
    ("[cosim]", '[search]\n"train.batch" = { low = 30 }\n[cosim]',
     "search.train.batch: low must be below high, not 30 and None"),
    ("[cosim]", '[search]\n"train.bach" = { low = 3, high = 5 }\n[cosim]', "'train.bach' must be "
     "a setting of the experiment, and isn't one: did you mean train.batch?"),
    ('"yinyang"', '"npz"', "data: Data source npz must not have test_size, not test_size = 40"),
    ("tick = 0.5", "tick = 0.0005", "design: "),
    ("[0.2, 1.0]", "[0.2, 20.0]", "study: Each of ticks must be a whole number of microseconds "
     "from 0.001 to 10 ms, not 20.0 ms"),
    ("cocotb_samples = 3", "cocotb_samples = -1",
     "cosim: cocotb_samples must be at least 0, not -1"),
    ("cxxrtl_samples = 30", "cxxrtl_samples = 0",
     "cosim: cxxrtl_samples must be at least 1, not 0"),
    ("[cosim]", '[cosim]\nsimulator = "questa"', "cosim: simulator must be one of verilator, "
     "icarus, not 'questa'"),
    ("[cosim]", "[cosim]\nstall = 1.0", "cosim: stall must be from 0 to below 1, not 1.0"),
    ("[cosim]", "[cosim]\nstall = nan", "cosim: stall must be from 0 to below 1, not nan"),
    ("input_jitter", "jitter", "noise: "),
    (KINDS, 'kinds = "every"', "noise: Noise kinds must be a list of names or 'all', not 'every'"),
    (KINDS, "kinds = 5", "noise.kinds must be a list in brackets, not 5"),
    (KINDS, "kinds = [5]", "noise.kinds[0] must be text in quotes, not 5"),
    ("fit_per_mbit = 75", 'fit_per_mbit = "75"',
     "noise.fit_per_mbit must be a number, not '75'"),
    ("fit_per_mbit = 75", "fit_per_mbit = 0.0",
     "noise: Noise fit_per_mbit must be a finite number above 0, not 0.0"),
    ("[1.0]", '["1"]', "noise.levels.input_jitter[0] must be a number, not '1'"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), BAD)
def test_a_bad_value_is_one_sentence_that_names_file_and_key(tmp_path, old, new, sentence):
    assert old in TINY
    path = write(tmp_path, TINY.replace(old, new, 1))
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {sentence}')}.*$") as caught:
        load_experiment(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "sentence"), [
    (b"seed = \n", "must be TOML: "),
    (b"\xff\xfe", "must be TOML: "),
    (None, "must be a TOML file, and there is no such file"),
])
def test_what_is_no_toml_is_refused(tmp_path, content, sentence):
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"{path} {sentence}")):
        load_experiment(path)


def test_a_good_file_fills_every_section(tiny):
    assert tiny.seed == 3
    assert tiny.data.test_size == 40
    assert tiny.network.hidden == (12,)
    assert tiny.train.epochs == 2
    assert tiny.design.banks == 2
    assert tiny.study.ticks == (0.2, 1.0)
    assert tiny.cosim.simulator == "verilator"
    assert tiny.noise.replays == 6


def test_kinds_of_noise_are_three_or_those_named_or_all(tmp_path, tiny):
    assert load_experiment(write(tmp_path, TINY.replace(KINDS, ""))).noise == tiny.noise
    every = load_experiment(write(tmp_path, TINY.replace(KINDS, 'kinds = "all"')))
    assert every.noise.kinds == tuple(kinds.KINDS)
    assert every.sha256 != tiny.sha256


MAPPED = mapped(TINY)


def test_a_fault_map_is_looked_for_beside_the_file_and_read_before_training(tmp_path):
    found = load_experiment(write(tmp_path, MAPPED)).resolved(tmp_path)
    assert found.noise.fault_map == str(tmp_path / "map.csv")
    assert found.noise.resolved("/elsewhere") == found.noise
    network = found.network_config(5, 3)
    with pytest.raises(ValueError, match=r"map\.csv must be a fault map, and there is no such fi"):
        found.check_design(network)
    (tmp_path / "map.csv").write_text("bank,address,bit,value,level\n7,0,0,0,1\n")
    with pytest.raises(ValueError, match=r"map\.csv: line 2: bank must be .* from 0 to 1, not '7'"):
        found.check_design(network)
    (tmp_path / "map.csv").write_text("bank,address,bit,value,level\n1,0,0,0,1\n")
    found.check_design(network)


def test_kinds_that_know_no_check_bits_are_refused_with_them(tmp_path):
    protected = TINY.replace("[design]", '[design]\nprotection = "secded"')
    assert load_experiment(write(tmp_path, protected)).design.protection == "secded"
    with pytest.raises(ValueError, match=r"levels\.delay_flips must be \[\] with secded: "):
        load_experiment(write(tmp_path, protected.replace(KINDS, 'kinds = "all"')))


@pytest.mark.parametrize(("right", "wrong"), [
    ("levels = { weight_map = [10, 20] }", ""), ('fault_map = "map.csv"', "")])
def test_a_fault_map_needs_levels_and_they_need_a_map(tmp_path, right, wrong):
    with pytest.raises(ValueError, match="weight_map and fault_map must be given toget"):
        load_experiment(write(tmp_path, MAPPED.replace(right, wrong)))


def test_a_loss_that_cannot_judge_the_readout_is_refused(tmp_path):
    text = TINY.replace("epochs = 2", 'epochs = 2\nloss = "distance"')
    assert load_experiment(write(tmp_path, text)).train.loss == "distance"
    path = write(tmp_path, text.replace('"first-spike"', '"leaky"'))
    with pytest.raises(ValueError, match=r"tiny\.toml: Readout for the loss distance must be one "):
        load_experiment(path)


def test_sections_with_defaults_may_be_left_out(tmp_path):
    short = load_experiment(write(tmp_path, TINY[:TINY.index("[design]")]))
    assert isinstance(short, Experiment)
    assert short.cosim.cxxrtl_samples == 300


def test_channels_and_classes_come_from_the_data(tiny):
    assert tiny.network_config(5, 3) == NetworkConfig(
        inputs=5, outputs=3, hidden=(12,), readout="first-spike", adaptive=False, tau_m=10.0,
        tau_s=5.0, delay_min=0.1, delay_max=10.0, duration=60.0)


def test_the_hash_tells_experiments_apart(tiny):
    again = make_experiment(tomllib.loads(TINY), "again")
    assert again.sha256 == tiny.sha256
    assert replace(tiny, seed=4).sha256 != tiny.sha256


def test_a_table_that_is_not_there_is_not_in_the_hash(tiny):
    left_out = ("finetune", "bits", "synth", "explore")
    values = {name: value for name, value in asdict(tiny).items() if name not in left_out}
    text = json.dumps(values, sort_keys=True)
    assert tiny.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert replace(tiny, bits=BitsConfig()).sha256 != tiny.sha256


def test_the_hash_of_a_section_ignores_the_others(tiny):
    other = replace(tiny, seed=4)
    assert section_hash(other, ["train"]) == section_hash(tiny, ["train"])
    assert section_hash(other, ["seed", "train"]) != section_hash(tiny, ["seed", "train"])


def test_relative_paths_start_from_the_given_folder(tmp_path):
    text = re.sub(r"\[data\].*\[network\]", '[data]\nsource = "npz"\npath = "x.npz"\n[network]',
                  TINY, flags=re.DOTALL)
    found = load_experiment(write(tmp_path, text)).resolved("/data")
    assert found.data.path == "/data/x.npz"


def test_a_design_that_has_no_room_is_refused_before_training(tiny):
    network = tiny.network_config(5, 3)
    tiny.check_design(network)
    crowded = replace(tiny, design=replace(tiny.design, banks=99))
    with pytest.raises(ValueError, match="banks must be at most 15, one neuron each, not 99"):
        crowded.check_design(network)
