"""Limit kernels: plain loops that do only the arithmetic which a task can't avoid.

They bound what an engine can reach on a processor, and are none: shapes are fixed, nothing is
checked, and they may reorder sums (``fastmath``). One task a file.
"""
