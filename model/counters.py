"""Columns of the counters that `run.run_sample` fills."""

(SATURATIONS, TOUCHES, SPIKES, LOOKS, INPUT_EVENTS, SYNAPTIC_EVENTS, BUSY_TICKS,
 SEARCHES, INTEGRATIONS) = range(9)
COUNTERS = 9
