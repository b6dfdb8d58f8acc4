"""The truth in integers: config, parameters, events, kernels, emulator, cycles."""

if "." not in __name__:
    raise ImportError(f"import ranvier.{__name__}, not {__name__}")
