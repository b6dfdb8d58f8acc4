"""A small experiment as TOML text, and files of it."""

TINY = """\
seed = 3
[data]
source = "yinyang"
train_size = 300
validation_size = 20
test_size = 40
[network]
hidden = [12]
readout = "first-spike"
adaptive = false
tau_m = 10.0
tau_s = 5.0
delay_min = 0.1
delay_max = 10.0
duration = 60.0
[train]
epochs = 2
batch = 50
hidden_mean = 1.0
output_mean = 0.5
hidden_delay = 5.0
output_delay = 5.0
[design]
tick = 0.5
banks = 2
[study]
ticks = [0.2, 1.0]
[cosim]
cxxrtl_samples = 30
cocotb_samples = 3
[noise]
instances = 2
replays = 6
kinds = ["input_jitter", "event_loss", "weight_flips"]
faults = 70
fit_per_mbit = 75
levels = { input_jitter = [1.0], event_loss = [0.1, 0.3], weight_flips = [0.001] }
"""


def mapped(text):
    """Return an experiment that studies a fault map, beside its file, in place of its noise."""
    start, end = text.index("kinds = ["), text.index("faults = ")
    levels = text.index("levels = {")
    return (text[:start] + 'kinds = ["weight_map", "stalls"]\nfault_map = "map.csv"\n'
            + text[end:levels] + "levels = { weight_map = [10, 20] }\n"
            + text[text.index("}\n", levels) + 2:])


def write(folder, text=TINY, name="tiny.toml"):
    """Write an experiment to a file of ``folder``. Returns its path."""
    path = folder / name
    path.write_text(text)
    return path
