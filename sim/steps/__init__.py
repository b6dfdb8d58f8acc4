"""The steps of a run: each reads the files of those before it and writes its own."""

if "." not in __name__:
    raise ImportError(f"import ranvier.{__name__}, not {__name__}")
