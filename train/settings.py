"""The settings of a training run."""

from dataclasses import asdict, dataclass, fields

__all__ = ["TrainConfig"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a network is drawn and trained. The seed is given apart.

    Parameters
    ----------
    epochs, batch : int
        Passes over the training samples, and samples per step.
    weight_rate, delay_rate, theta_rate, beta_rate : float
        Adam's step size for each kind of parameter, in its own unit; 0 leaves it as it is.
    final_rate : float
        Step sizes fall along a cosine to this fraction of themselves.
    first_moment, second_moment : float
        Adam's decay rates.
    loss_scale : float
        A score's worth in the softmax. First spike: ms of lead that are worth a factor e.
        Spike count and leaky readout: the score is multiplied by it.
    rate_low, rate_high : float
        Spikes per sample between which a hidden neuron is left alone.
    rate_strength : float
        Pull towards that range, and of silent right outputs towards firing; 0 turns it off.
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
    theta_noise : float
        Standard deviation, relative, of thresholds in training, drawn anew for each batch.
    hidden_mean, hidden_sd, output_mean, output_sd, recurrent_sd : float
        Mean and standard deviation of the first weights.
    hidden_delay, output_delay, recurrent_delay : float
        First delays are uniform from ``delay_min`` to this, ms.
    beta : float
        First ``beta`` of an adaptive neuron.
    """

    epochs: int
    batch: int = 64
    weight_rate: float = 0.005
    delay_rate: float = 0.1
    theta_rate: float = 0.0
    beta_rate: float = 0.0
    final_rate: float = 0.05
    first_moment: float = 0.9
    second_moment: float = 0.999
    loss_scale: float = 1.0
    rate_low: float = 0.0
    rate_high: float = 1e9
    rate_strength: float = 0.0
    slope_floor: float = 0.0
    spike_cap: float = 0.0
    theta_min: float = 0.1
    jitter: float = 0.0
    dropout: float = 0.0
    theta_noise: float = 0.0
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
        for name in ("epochs", "batch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
        free = ("hidden_mean", "output_mean")
        below_one = ("first_moment", "second_moment", "dropout")
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
        if self.rate_low > self.rate_high:
            raise ValueError(
                f"rate_low must be at most rate_high = {self.rate_high}, not {self.rate_low}"
            )

    def to_dict(self) -> dict:
        """Return every field, ready for JSON."""
        return asdict(self)
