"""The rows, a file a subject. Importing a file enters its rows into `registry.ROWS`."""
