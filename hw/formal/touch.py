"""What is proven of `TouchUnit`: it computes "a touch" of docs/contract.md."""

from amaranth.hdl import Const, Mux, signed

from ..decay import traces
from ..touch import TouchUnit
from .spec import Spec, steady

__all__ = ["touch_exact"]


def _saturated(value, bits):
    """Return the nearest value of a trace, and whether it's another one."""
    top = (1 << (bits - 1)) - 1
    clipped = (value > top) | (value < -top - 1)
    return Mux(value > top, Const(top, signed(bits)),
               Mux(value < -top - 1, Const(-top - 1, signed(bits)), value)), clipped


def _touch(config, p, q, a, arrival, amount, theta0, beta):
    """Return p, q, a, fired and the number of saturations, as the contract has them."""
    bits = config.trace_bits
    if config.synapse == "jump":
        arrived, over = _saturated(p + Mux(arrival, amount, 0), bits)
        fires = arrival & (arrived >= theta0 + a)
        p, q, over_p, over_q = Mux(fires, 0, arrived), 0, over, 0
    else:
        fires = p - q >= theta0 + a
        p, over_p = _saturated(Mux(fires, q, p) + Mux(arrival, amount, 0), bits)
        q, over_q = _saturated(q + Mux(arrival, amount, 0), bits)
    raised, over_a = _saturated(a + beta, bits)
    return p, q, Mux(fires, raised, a), fires, over_p + over_q + (fires & over_a)


def touch_exact(*, config):
    """Firing, reset, adaptation, arrivals and saturation are the contract's, for any input."""
    unit = TouchUnit(config=config)
    spec = Spec(unit)
    m = spec.m
    members = traces(config).members
    later = {"q": 1, "a": 2, "theta0": 2, "beta": 2} if "q" in members else {}
    inputs = {name: unit.i[name] for name in members}
    inputs |= {name: getattr(unit, name) for name in ("arrival", "sum", "theta0")}
    if config.adaptive:
        inputs["beta"] = unit.beta
    # `Parameters` refuses larger thresholds.
    right = Const(1)
    values = {"q": Const(0), "a": Const(0), "beta": Const(0)}
    for name, value in inputs.items():
        needed = unit.latency + later.get(name, 0)
        values[name], run = steady(m, value, needed)
        right &= run == needed
    for name in ("p", "q", "a"):
        if name in members:
            values[name] = values[name].as_signed()
    amount = values.pop("sum").as_signed() << config.guard_bits
    p, q, a, fired, saturations = _touch(config, amount=amount, **values)
    spec.claim(~right | (unit.fired == fired))
    spec.claim(~right | (unit.saturations == saturations))
    for name, value in (("p", p), ("q", q), ("a", a)):
        if name in members:
            spec.claim(~right | (unit.o[name] == value))
    return m
