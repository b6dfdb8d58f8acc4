"""The settings of a training run."""

from dataclasses import asdict, dataclass, fields

from .losses import LOSSES
from .schedule import SCHEDULES

__all__ = ["TrainConfig"]

CHOICES = {"loss": LOSSES, "schedule": SCHEDULES}
LEAST = {"epochs": 1, "batch": 1, "warmup": 0, "patience": 0, "shift": 0}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a network is drawn and trained. The seed is given apart.

    Parameters
    ----------
    epochs, batch : int
        Passes over the training samples, and samples per step.
    tick : float
        Train on a grid of so many ms, by the core's rules; 0: in continuous time.
    weight_rate, delay_rate, theta_rate, beta_rate, tau_rate : float
        Adam's step size for each kind of parameter, in its own unit; 0 leaves it as it is.
    schedule : str
        How step sizes fall to ``final_rate`` of themselves: ``"cosine"`` or ``"exponential"``;
        ``"constant"``: they don't.
    final_rate : float
        Fraction of the step sizes that the last step takes.
    warmup : int
        Epochs over which step sizes rise from 0, along a line.
    patience : int
        Training ends after so many epochs without a better validation accuracy (of equals, with a
        lower validation loss), and gives the parameters of the best epoch. 0: it takes all
        epochs, and gives those of the last.
    first_moment, second_moment : float
        Adam's decay rates.
    loss : str
        ``"cross-entropy"``, ``"distance"``: the shift-invariant squared distance of first spikes,
        or ``"cross-entropy+distance"``. See `losses`.
    loss_scale : float
        A score's worth in the softmax. First spike: ms of lead that are worth a factor e. The
        other readouts: the score is multiplied by it.
    loss_gap : float
        The lead, in ms, that ``"distance"`` asks of the right output.
    distance_strength : float
        The distance's share in ``"cross-entropy+distance"``, 1/ms^2.
    rate_low, rate_high : float
        Spikes per sample between which a hidden neuron is left alone.
    rate_strength : float
        Pull towards that range, and of silent right outputs towards firing; 0 turns it off.
    wake : float
        What is added to the weights into a neuron that was silent throughout an epoch.
    margin, margin_strength : float
        A neuron that's silent in a sample pays ``margin_strength / 2`` times the square of what its
        largest V lacks of ``margin`` times its threshold. In continuous time only.
    slope_floor : float
        Least slope at threshold, 1/ms, that the gradient divides by. 0: the exact one.
    spike_cap : float
        Largest share that one spike may have in a sample's derivative by ``theta0``. 0: no limit.
    theta_min : float
        Least ``theta0`` that training may reach.
    jitter : float
        Standard deviation of the noise on each input spike in training, ms.
    dropout : float
        Fraction of the input spikes left out in training.
    fading : float
        Fraction of a sample's input spikes that is left out beside these, uniform from 0 to this.
    stretch : float
        All channels of a sample move away from the middle one, or towards it, by a factor whose
        logarithm has this standard deviation.
    tempo : float
        All times of a sample are multiplied by a factor whose logarithm has this standard
        deviation.
    spread : float
        Standard deviation of the noise on each input spike's channel, in channels.
    shift : int
        All events of a sample move by a whole number of channels, drawn from ``-shift`` to
        ``shift``; those that leave the channels are dropped.
    blend : float
        Probability that a sample is blended with another of its class: each event of either is
        kept with probability 1/2, the other's moved so that its mean time is the sample's own.
    theta_noise : float
        Standard deviation, relative, of thresholds in training, drawn anew for each batch.
    weight_noise, delay_noise : float
        The same of weights, relative, and of delays, ms.
    tau_noise : float
        The same of time constants, relative.
    hidden_mean, hidden_sd, output_mean, output_sd, recurrent_sd : float
        Mean and standard deviation of the first weights.
    hidden_delay, output_delay, recurrent_delay : float
        First delays are uniform from ``delay_min`` to this, ms.
    beta : float
        First ``beta`` of an adaptive neuron.
    """

    epochs: int
    batch: int = 64
    tick: float = 0.0
    weight_rate: float = 0.005
    delay_rate: float = 0.1
    theta_rate: float = 0.0
    beta_rate: float = 0.0
    tau_rate: float = 0.0
    schedule: str = "cosine"
    final_rate: float = 0.05
    warmup: int = 0
    patience: int = 0
    first_moment: float = 0.9
    second_moment: float = 0.999
    loss: str = "cross-entropy"
    loss_scale: float = 1.0
    loss_gap: float = 2.0
    distance_strength: float = 0.01
    rate_low: float = 0.0
    rate_high: float = 1e9
    rate_strength: float = 0.0
    wake: float = 0.0
    margin: float = 1.0
    margin_strength: float = 0.0
    slope_floor: float = 0.0
    spike_cap: float = 0.0
    theta_min: float = 0.1
    jitter: float = 0.0
    dropout: float = 0.0
    fading: float = 0.0
    stretch: float = 0.0
    tempo: float = 0.0
    spread: float = 0.0
    shift: int = 0
    blend: float = 0.0
    theta_noise: float = 0.0
    weight_noise: float = 0.0
    delay_noise: float = 0.0
    tau_noise: float = 0.0
    hidden_mean: float = 0.0
    hidden_sd: float = 0.5
    output_mean: float = 0.0
    output_sd: float = 0.5
    recurrent_sd: float = 0.1
    hidden_delay: float = 0.0
    output_delay: float = 0.0
    recurrent_delay: float = 0.0
    beta: float = 0.0

    def __post_init__(self):
        for name, least in LEAST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"{name} must be a whole number of at least {least}, not {value!r}"
                )
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}"
                )
        free = ("hidden_mean", "output_mean")
        below_one = ("first_moment", "second_moment", "dropout", "fading")
        positive = ("loss_scale", "theta_min")
        for field in fields(self):
            if field.type is not float:
                continue
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
                raise ValueError(f"{field.name} must be a finite number, not {value!r}")
            object.__setattr__(self, field.name, float(value))
            if field.name not in free and value < 0:
                raise ValueError(f"{field.name} must be at least 0, not {value!r}")
            if field.name in below_one and value >= 1:
                raise ValueError(f"{field.name} must be below 1, not {value!r}")
            if field.name in positive and value == 0:
                raise ValueError(f"{field.name} must be above 0, not {value!r}")
        if self.blend > 1:
            raise ValueError(f"blend must be at most 1, not {self.blend!r}")
        if self.dropout + self.fading >= 1:
            raise ValueError(
                f"dropout and fading must make less than 1, not {self.dropout + self.fading!r}"
            )
        if self.schedule == "exponential" and self.final_rate == 0:
            raise ValueError("final_rate must be above 0 for an exponential schedule, not 0.0")
        if self.rate_low > self.rate_high:
            raise ValueError(
                f"rate_low must be at most rate_high = {self.rate_high}, not {self.rate_low}"
            )
        for name in ("tau_rate", "margin_strength"):
            if self.tick and getattr(self, name):
                raise ValueError(
                    f"{name} needs continuous time: tick must be 0, not {self.tick:g}, or {name} 0"
                )

    def to_dict(self) -> dict:
        """Return every field, ready for JSON."""
        return asdict(self)
