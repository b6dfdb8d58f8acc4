if "." not in __name__:
    raise ImportError(f"import ranvier.hw.{__name__}, not {__name__}")
