"""The design space of a trained network: what designs of it do and cost, and what fits a device."""

if "." not in __name__:
    raise ImportError(f"import ranvier.sim.{__name__}, not {__name__}")
