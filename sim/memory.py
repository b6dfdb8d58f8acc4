"""How much memory a run takes."""

import resource

__all__ = ["peak_mib"]


def peak_mib():
    """Return the largest resident memory so far, in MiB: this process, and its largest child.

    The kernel's high-water marks. A child counts once it has ended.
    """
    return {
        name: resource.getrusage(who).ru_maxrss / 1024
        for name, who in (("self", resource.RUSAGE_SELF), ("child", resource.RUSAGE_CHILDREN))
    }
