"""A `Device` on the far side of a UART in the simulator. Imported inside the simulator.

The job file says what is run: `test_device` writes it. `cocotbext-uart` plays the serial line.
"""

import json
import os
import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import bridge, resume
from cocotb.triggers import RisingEdge, Timer
from cocotbext.uart import UartSink, UartSource

from ranvier.hw.boards.protocol import ESCAPE, FLAG
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters
from ranvier.sim.device import Device, DeviceError

PERIOD = 10  # ns


class SimulatedPort:
    """What `Device` needs of a serial port, on the pins of a simulated board.

    Parameters
    ----------
    dut : handle of the board
    bit : int
        Length of a bit, in ns.
    timeout : int
        Silence after which a read gives up, in ns.
    """

    def __init__(self, dut, bit, timeout):
        self.dut, self.bit, self.timeout = dut, bit, timeout
        # The models take 1e9 // baud for the length of a bit.
        self._source = UartSource(dut.rx, baud=1e9 / (bit + 0.5))
        self._sink = UartSink(dut.tx, baud=1e9 / (bit + 0.5))

    async def _write(self, data):
        await self._source.write(data)
        await self._source.wait()

    async def _read(self, size):
        while self._sink.count() < size:
            before = self._sink.count()
            await self._sink.wait(self.timeout, "ns") if not before else Timer(self.bit, "ns")
            if self._sink.count() == before == 0:
                break
        return bytes(self._sink.read_nowait(min(size, self._sink.count())))

    def write(self, data):
        resume(self._write)(data)

    def read(self, size):
        return resume(self._read)(size)

    @property
    def in_waiting(self):
        return self._sink.count()

    def reset_input_buffer(self):
        self._sink.clear()


class BadLine(SimulatedPort):
    """A line with rests, on which frames are damaged in every way.

    Members
    -------
    damages : dict of str to int
        How often each has happened.
    """

    TO_BOARD = ("flip", "lost", "truncated", "garbage", "oversize", "break", "doubled", "hasty")
    TO_HOST = ("answer flipped", "answer lost", "answer late")

    def __init__(self, *arguments, seed):
        super().__init__(*arguments)
        self._random = random.Random(seed)
        self.damages = dict.fromkeys((*self.TO_BOARD, *self.TO_HOST), 0)
        self._late = b""

    def _draw(self, kinds, probability):
        if self._random.random() >= probability:
            return None
        kind = min(kinds, key=self.damages.get)  # in turns
        self.damages[kind] += 1
        return kind

    async def _break(self):
        self.dut.rx.value = 0
        await Timer(30 * self.bit, "ns")
        self.dut.rx.value = 1
        await Timer(self._random.randrange(1, 40) * self.bit, "ns")

    async def _rest(self):
        await Timer(self._random.randrange(1, 30) * PERIOD, "ns")

    def write(self, data):
        kind, place = self._draw(self.TO_BOARD, 0.2), self._random.randrange(1, len(data) - 1)
        before, after = data[:place], data[place:]
        if kind == "flip":
            data = before + bytes([after[0] ^ 1 << self._random.randrange(8)]) + after[1:]
        elif kind == "lost":
            data = before + after[1:]
        elif kind == "truncated":
            data = before
        elif kind == "garbage":
            data = self._random.randbytes(40) + bytes([self._random.choice([FLAG, ESCAPE])]) + data
        elif kind == "oversize":
            data = bytes([FLAG]) + bytes(700) + data
        elif kind == "doubled":
            data = data + data
        elif kind == "break":
            super().write(before)
            resume(self._break)()
            data = after
        elif kind == "hasty":  # more comes while the board works
            data = data + self._random.randbytes(20)
        while data:
            piece, data = data[:50], data[50:]
            resume(self._rest)()
            super().write(piece)

    def read(self, size):
        data, self._late = self._late + super().read(size), b""
        if not data:
            return data
        kind = self._draw(self.TO_HOST, 0.002)  # nearly every byte is read alone
        if kind == "answer flipped":
            data = bytes([data[0] ^ 1 << self._random.randrange(8)]) + data[1:]
        elif kind == "answer lost":
            data = super().read(size)
        elif kind == "answer late":
            self._late, data = data, b""
        return data


def run(job, port):
    """Do a job with a device; returns what it gave."""
    parameters = [Parameters.load(path) for path in job["parameters"]]
    device = Device(port, parameters[0].config)
    given, loaded = [], None
    for index, sample in job["samples"]:
        if index != loaded:
            device.load(parameters[index])
            loaded = index
        with np.load(sample) as events:
            outcome = device.run(TickEvents(**events))
        given.append({"decision": outcome.decision, "spikes": outcome.spikes.tolist(),
                      "registers": device.registers()})
    return {"given": given, "damaged": device.damaged}


@cocotb.test()
async def run_job(dut):
    with open(os.environ["RANVIER_JOB"]) as file:
        job = json.load(file)
    Clock(dut.clk, PERIOD, "ns").start()
    dut.rst.value = 1
    dut.rx.value = 1
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    line = (dut, job["bit"], job["timeout"])
    port = SimulatedPort(*line) if job["seed"] is None else BadLine(*line, seed=job["seed"])
    try:
        result = await bridge(run)(job, port)
    except DeviceError as error:
        result = {"error": str(error)}
    result["damages"] = getattr(port, "damages", None)
    with open(os.environ["RANVIER_RESULT"], "w") as file:
        json.dump(result, file)
