"""When a neuron fires: the first root of f between two events.

docs/gradients.md proves that none is missed.
"""

from math import exp, log

from ...model.jit import kernel


@kernel
def ahead(ratio, y):
    """Return y**(ratio - 1), by which the fast trace decays more. Small whole ratios save exps."""
    if ratio == 4.0:
        return y * y * y
    if ratio == 2.0:
        return y
    if ratio == 3.0:
        return y * y
    return exp((ratio - 1.0) * log(y)) if y > 0.0 else 0.0


@kernel
def peaks(ratio, p, q, theta):
    """Whether p y - q y**ratio reaches ``theta`` for some y > 0. ``p``, ``q`` : above 0."""
    if ratio == 4.0:
        return 27.0 * (p * p) * (p * p) >= 256.0 * q * theta * (theta * theta)
    if ratio == 2.0:
        return p * p >= 4.0 * q * theta
    if ratio == 3.0:
        return 4.0 * p * (p * p) >= 27.0 * q * (theta * theta)
    if p < theta or q <= 0.0:
        return False
    return p * (1.0 - 1.0 / ratio) * exp(log(p / (q * ratio)) / (ratio - 1.0)) >= theta


@kernel
def reaches(ratio, p, q, theta, y, q_end):
    """Whether a curve that `peaks`, not yet at ``theta`` at 1, gets there on its way to ``y``.

    ``q_end`` : q y**ratio. No branches, since none could be predicted: it's positive and rises at
    1, and has risen far enough at ``y`` or has its peak before.
    """
    up = (p > 0.0) & (q * ratio > p)
    return up & ((p * y - q_end >= theta) | (q_end * ratio < p * y))


@kernel
def straight_root(ratio, p, q, theta, low):
    """Return the largest y in [low, 1] with p y - q y**ratio = theta, if `reaches` it.

    The curve is concave and falls where y is larger. Halley's iterates start there.
    """
    y, high = 1.0, 1.0
    for _ in range(100):
        fall = q * ahead(ratio, y)
        f = (p - fall) * y - theta
        slope = p - ratio * fall
        if f < 0.0 and slope < 0.0:
            high = y
        else:
            low = y
        bend = (1.0 - ratio) * ratio * fall  # y f''
        below = 2.0 * slope * slope * y - f * bend
        new = y - 2.0 * f * slope * y / below if slope < 0.0 and below > 0.0 else -1.0
        step = abs(new - y)
        # The error left is of the step's third order.
        close = step * step * step * bend * (bend + ratio * slope) <= 1e-16 * slope * slope * y * y
        if not low <= new <= high:
            new, close = 0.5 * (low + high), False
        if close or abs(new - y) <= 1e-15 * y:
            return new
        y = new
    return y


@kernel
def _bent_root(rates, p, q, a, theta, span, u):
    """Return the crossing in [u, span], -1 if none, and exp(-u/tau_m) and A there.

    ``u`` : no later than it. Up to its peak f is concave, and later it never crosses 0 from below:
    it falls, and may rise again and near -theta0. So a tangent from before the peak finds 0 no
    later than f, or f doesn't. exp(u/tau_m) f' is convex: it's before the peak where that is above
    0 and falls.
    """
    ratio, low, high = rates[1] / rates[0], u, span
    fall, rise = rates[1] * (rates[1] - rates[0]), rates[2] * (rates[0] - rates[2])
    tangent, crossed = -1.0, False
    for _ in range(200):
        y = exp(-u * rates[0])
        slow, lift = p * y, a * exp(-u * rates[2])
        fast = q * y * ahead(ratio, y)
        f = slow - fast - lift - theta
        slope = fast * rates[1] + lift * rates[2] - slow * rates[0]
        if f >= 0.0:
            high, crossed = u, True
        elif slope > 0.0 and fast * fall > lift * rise:
            low = u
            if u - f / slope > span:
                return -1.0, y, lift
        elif tangent > low and tangent < u:
            u = tangent  # a tangent never passes the peak before 0
            continue
        else:
            return -1.0, y, lift
        if f < 0.0:
            tangent = u - f / slope
        bend = slow * rates[0] ** 2 - fast * rates[1] ** 2 - lift * rates[2] ** 2
        below = 2.0 * slope * slope - f * bend
        new = u - 2.0 * f * slope / below if slope > 0.0 and below > 0.0 else -1.0
        step = abs(new - u)
        # The error left is of the step's third order.
        close = (
            step * step * step * bend * (bend - 3.0 * rates[1] * slope) * rates[0]
            <= 1e-16 * slope * slope
        )
        if not low <= new <= high:
            new, close = tangent if f < 0.0 and not crossed else 0.5 * (low + high), False
        if close or abs(new - u) * rates[0] <= 1e-15:
            y *= _near_one((new - u) * rates[0])
            return new, y, lift * _near_one((new - u) * rates[2])
        u = new
    return u, y, lift


@kernel
def _near_one(x):
    """Return exp(-x), x near 0."""
    return 1.0 - x * (1.0 - x * (0.5 - x * (1.0 / 6.0)))


@kernel
def crossing(rates, p, q, a, theta, span, y, q_end, a_end):
    """Return the first crossing in [0, span], -1 if none, and exp(-u/tau_m) and A there.

    ``y`` : exp(-span/tau_m). ``q_end``, ``a_end`` : Q and A at the end. As a function of y, A is
    above its chord; with that in its place the curve is of the same kind as without A.
    """
    ratio = rates[1] / rates[0]
    tilt = (a - a_end) / (1.0 - y) if a > 0.0 and y < 1.0 else 0.0
    straight, above = p - tilt, theta + a - tilt
    if not (peaks(ratio, straight, q, above) and reaches(ratio, straight, q, above, y, q_end)):
        return -1.0, y, a
    root = straight_root(ratio, straight, q, above, y)
    u = -log(root) / rates[0]
    if a > 0.0:
        return _bent_root(rates, p, q, a, theta, span, min(u, span))
    return u, root, 0.0


@kernel
def first_crossing(rates, p, q, a, theta, span):
    """Return the first u in [0, span] at which f reaches 0 from below, or -1. None is missed.

    A, theta >= 0. docs/gradients.md proves it.
    """
    y, q_end = exp(-span * rates[0]), q * exp(-span * rates[1])
    return crossing(rates, p, q, a, theta, span, y, q_end, a * exp(-span * rates[2]))[0]
