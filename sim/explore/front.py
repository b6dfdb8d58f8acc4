"""The points that no other is better than."""

__all__ = ["COSTS", "front", "mark_fronts"]

COSTS = ("cycles", "memory_bits", "lut4")
"""What a point costs, beside the accuracy that it has."""


def front(points):
    """Return for each point whether none is at least as good in everything and better in one.

    Parameters
    ----------
    points : list of tuple of float
        Smaller is better.
    """
    return [not any(other != point and all(a <= b for a, b in zip(other, point, strict=True))
                    for other in points) for point in points]


def mark_fronts(rows):
    """Let ``front`` of each row be the list of costs at which it's on the front.

    ``all`` is among them if it's on that of accuracy and all costs together.
    """
    for row in rows:
        row["front"] = []
    for name in (*COSTS, "all"):
        costs = COSTS if name == "all" else (name,)
        known = [row for row in rows if not row["failed"]]
        points = [(-row["accuracy"], *(row[cost] for cost in costs)) for row in known]
        for row, best in zip(known, front(points), strict=True):
            if best:
                row["front"].append(name)
