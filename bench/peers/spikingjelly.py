"""spikingjelly: ATan surrogate through dense time; delays at most one a layer, here none."""

from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn

from . import _torch

PACKAGES = ("spikingjelly", "torch")


class _Net(nn.Module):
    def __init__(self, inputs, hidden, outputs, recurrent, tick):
        super().__init__()
        how = {
            "tau": 20.0 / tick, "decay_input": False, "surrogate_function": surrogate.ATan(),
            "detach_reset": True,
        }  # fmt: skip
        self.synapses = nn.Sequential(
            layer.Linear(inputs, hidden, step_mode="m"),
            layer.SynapseFilter(tau=5.0 / tick, step_mode="m"),
        )
        self.hidden = (
            layer.LinearRecurrentContainer(
                neuron.LIFNode(**how), in_features=hidden, out_features=hidden, step_mode="m"
            )
            if recurrent
            else neuron.LIFNode(**how, step_mode="m")
        )
        self.second = layer.Linear(hidden, outputs, step_mode="m")
        self.out = neuron.LIFNode(**how, v_threshold=1e9, step_mode="m", store_v_seq=True)

    def forward(self, x):
        self.out(self.second(self.hidden(self.synapses(x))))
        return self.out.v_seq


yinyang, shd, inference = _torch.make(_Net, functional.reset_net)
