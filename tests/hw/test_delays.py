"""Dendritic delays against a table."""
import numpy as np
import pytest

from ranvier.hw.delays import DendriteDelay
from ranvier.hw.payloads import Memory
from ranvier.sim.benches import get, put, random_stalls, simulate, until

from .configs import small_config


@pytest.mark.parametrize("dendrites", [1, 4])
@pytest.mark.parametrize("busy", [1.0, 0.5])
@pytest.mark.parametrize("loaded", [False, True])
def test_adds_the_delay_of_its_target_to_each_event(dendrites, busy, loaded):
    config = small_config(delays="axonal+dendritic", dendrites=dendrites, dendritic_max=11,
                          delay_max=30)
    rng = np.random.default_rng(1)
    table = rng.integers(12, size=(config.neurons, dendrites))
    words = table.ravel().tolist()
    dut = DendriteDelay(config=config, images=None if loaded else {Memory.DENDRITES: words})
    events = [{"target": int(rng.integers(config.neurons)), "delay": int(rng.integers(1, 20)),
               "weight": int(rng.integers(-127, 128)), "kind": int(rng.integers(dendrites))}
              for _ in range(200)]
    want = [{**event, "delay": int(event["delay"] + table[event["target"], event["kind"]])}
            for event in events]
    received = []

    async def send(ctx):
        if loaded:
            ctx.set(dut.load.en, 1)
            ctx.set(dut.load.memory, Memory.DENDRITES)
            for address, word in enumerate(words):
                ctx.set(dut.load.address, address)
                ctx.set(dut.load.data, word)
                await ctx.tick()
            ctx.set(dut.load.en, 0)
        without = () if dendrites > 1 else ("kind",)
        await put(ctx, dut.i, [{name: value for name, value in event.items() if name not in without}
                               for event in events], random_stalls(3, busy))
        await until(ctx, dut.idle)

    async def collect(ctx):
        received.extend(await get(ctx, dut.o, len(want), random_stalls(4, busy)))

    simulate(dut, send, collect, cycles=5000)
    assert received == [{name: event[name] for name in ("target", "delay", "weight")}
                        for event in want]


def test_takes_an_event_in_each_cycle_after_its_latency():
    config = small_config(delays="axonal+dendritic", dendrites=1, dendritic_max=3)
    dut = DendriteDelay(config=config)

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.i.valid, 1)
        for cycle in range(20):
            assert ctx.get(dut.i.ready)
            assert ctx.get(dut.o.valid) == (cycle >= dut.latency)
            await ctx.tick()

    simulate(dut, bench, cycles=50)
