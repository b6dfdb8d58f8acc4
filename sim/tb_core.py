"""The cocotb testbench of a core: drivers, monitors and a scoreboard.

Imported inside the simulator. One launch runs every sample of a job file that `cosim` wrote, and
leaves a result file. Python wakes on handshakes, not on cycles. Inputs change right after a rising
edge; outputs are looked at on the falling edge, where they have settled for the next rising one.
"""

import json
import math
import os
import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import Event, FallingEdge, RisingEdge, SimTimeoutError, Timer, with_timeout

from ranvier.sim.compare import MismatchError, Scoreboard
from ranvier.sim.fields import Field

PERIOD = 10  # ns


class HangError(Exception):
    """The core moved no word for too long, or sends words without end."""


async def cycles(clk, count):
    """Wait for ``count`` rising edges without waking on each; call it on a rising edge."""
    if count > 1:
        await Timer((count - 1) * PERIOD, "ns")
        await FallingEdge(clk)
    await RisingEdge(clk)


class Stalls:
    """Draws how long a stream runs and rests, as if each cycle were held up with a probability."""

    def __init__(self, probability, seed):
        self._probability = probability
        self._random = random.Random(seed)

    def _trials(self, probability):
        """Return the number of trials up to the first success, at least 1."""
        if probability >= 1:
            return 1
        return 1 + int(math.log(1 - self._random.random()) / math.log(1 - probability))

    def held_up(self):
        """Whether the next cycle is held up."""
        return self._random.random() < self._probability

    def run(self):
        """Return a number of cycles that a stream runs on."""
        return self._trials(self._probability)

    def rest(self):
        """Return a number of cycles that a stream rests."""
        return self._trials(1 - self._probability)


class Stream:
    """The three signals of a stream of the core."""

    def __init__(self, dut, name):
        self.clk = dut.clk
        self.valid = getattr(dut, f"{name}__valid")
        self.ready = getattr(dut, f"{name}__ready")
        self.payload = getattr(dut, f"{name}__payload")
        self.moved = 0


class Driver(Stream):
    """Puts words on a stream, with random rests between them."""

    def __init__(self, dut, name, stalls):
        super().__init__(dut, name)
        self._stalls = stalls

    async def send(self, words):
        """Send words; call it on a rising edge."""
        for word in words:
            if self._stalls and self._stalls.held_up():
                self.valid.value = 0
                await cycles(self.clk, self._stalls.rest())
            self.payload.value = word
            self.valid.value = 1
            while True:
                await FallingEdge(self.clk)
                if self.ready.value == 1:
                    break
                await RisingEdge(self.ready)
            await RisingEdge(self.clk)
            self.moved += 1
        self.valid.value = 0


class Monitor(Stream):
    """Takes words from a stream, with random rests, and hands each to ``take`` as an integer."""

    def __init__(self, dut, name, stalls, take):
        super().__init__(dut, name)
        self._take = take
        cocotb.start_soon(self._watch())
        if stalls:
            cocotb.start_soon(self._hold_up(stalls))

    async def _watch(self):
        while True:
            await FallingEdge(self.clk)
            if self.valid.value != 1:
                await RisingEdge(self.valid)
            elif self.ready.value != 1:
                await RisingEdge(self.ready)
            else:
                self.moved += 1
                self._take(int(self.payload.value))

    async def _hold_up(self, stalls):
        while True:
            await cycles(self.clk, stalls.run())
            self.ready.value = 0
            await cycles(self.clk, stalls.rest())
            self.ready.value = 1


class Sample:
    """What a sample has given so far: the words of each output, as tuples of fields.

    Their ticks, the first field, are counted from ``start``.
    """

    def __init__(self, index, fields, expected, start):
        self._index = index
        self._fields = fields
        self._start = start
        self._last = {port: [field.name for field in fields[port]].index("last")
                      for port in ("o", "trace")}
        self._scoreboard = Scoreboard(expected, sample=index)
        self.words = {"o": [], "trace": []}

    def _ended(self, port):
        words = self.words[port]
        return bool(words) and bool(words[-1][self._last[port]])

    @property
    def ended(self):
        """Whether both outputs gave their last word."""
        return self._ended("o") and self._ended("trace")

    def take(self, port, word):
        """Take one word of the stream ``port``; records are compared."""
        tick, *others = (field.of(word) for field in self._fields[port])
        values = ((tick - self._start) % (1 << self._fields[port][0].width), *others)
        if self._ended(port):
            raise MismatchError(self._index, f"a word on {port} follows the last one: {values}")
        self.words[port].append(values)
        if port == "trace":
            if self._ended(port):
                self._scoreboard.flush(math.inf)
            else:
                last = self._last[port]
                self._scoreboard.take(values[:last] + values[last + 1 :])


class Testbench:
    """Runs the samples of a job on a core.

    Parameters
    ----------
    dut : handle of the core
    job : the arrays of the job file (see `cosim`)
    """

    def __init__(self, dut, job):
        self._dut = dut
        self._job = job
        self._settings = json.loads(str(job["settings"]))
        self._fields = {port: [Field(*field) for field in fields]
                        for port, fields in self._settings["fields"].items()}
        self._sample = None
        self._failure = None
        self._finished = Event()

    async def start(self):
        """Start clock, drivers and monitors; reset the core and load its parameters."""
        dut, job = self._dut, self._job
        for name in ("i__valid", "i__payload", "bus__address", "bus__w_en", "bus__w_data",
                     "bus__r_en"):
            getattr(dut, name).value = 0
        dut.o__ready.value = 1
        dut.trace__ready.value = 1
        dut.rst.value = 1
        Clock(dut.clk, PERIOD, "ns").start()
        await RisingEdge(dut.clk)
        await cycles(dut.clk, 3)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        self._driver = Driver(dut, "i", self._stalls(0))
        self._monitors = [Monitor(dut, name, self._stalls(1 + n), self._taker(name))
                          for n, name in enumerate(("o", "trace"))]
        await self._bus(job["load"])

    def _stalls(self, stream):
        probability = self._settings["stall"]
        return Stalls(probability, 3 * self._settings["seed"] + stream) if probability else None

    def _taker(self, port):
        def take(word):
            # An exception would end the simulation without results: keep it for `_finish`.
            try:
                self._sample.take(port, word)
            except MismatchError as error:
                self._failure = self._failure or error
            if self._failure or self._sample.ended:
                self._finished.set()

        return take

    async def _bus(self, program):
        """Run a bus program. Returns its data, with the words that were read."""
        dut, data = self._dut, []
        for write, address, word in program.tolist():
            dut.bus__address.value = address
            dut.bus__w_data.value = word
            dut.bus__w_en.value = write
            dut.bus__r_en.value = 1 - write
            await RisingEdge(dut.clk)
            if not write:
                dut.bus__r_en.value = 0
                await FallingEdge(dut.clk)
                word = int(dut.bus__r_data.value)
                await RisingEdge(dut.clk)
            data.append(word)
        dut.bus__w_en.value = 0
        return data

    def _memory(self, path):
        """Return the handle of the memory at a path below the top."""
        memory = self._dut
        for name in path:
            memory = getattr(memory, name)
        return memory

    async def _flip(self, flips):
        """Flip bits of the weight memories: rows (bank, address, bit). Twice undoes it."""
        for bank, address, bit in flips.tolist():
            (place,) = (p for p in self._settings["weights"] if p["bank"] == bank
                        and 0 <= address - p["offset"] < p["words"])
            word = self._memory(place["path"])[place["base"] + address - place["offset"]]
            wanted = int(word.value) ^ (1 << bit)
            word.value = wanted
            await RisingEdge(self._dut.clk)
            await FallingEdge(self._dut.clk)
            if int(word.value) != wanted:
                raise RuntimeError(f"Bank {bank}'s weight word {address} must take a deposit of "
                                   f"{wanted}, not keep {int(word.value)}")

    async def _upset(self, upsets):
        """Flip bits of state: rows (tick, memory, word, bit), when the tick starts or a later one.

        Nothing is read or written in the cycle before the first one of a tick.
        """
        if not upsets:
            return  # a netlist has no scheduler to ask
        scheduler, clk = self._dut.scheduler, self._dut.clk
        while upsets:
            await RisingEdge(scheduler.start)
            await FallingEdge(clk)
            if scheduler.start.value != 1:  # it hadn't settled yet
                continue
            masks, tick = {}, int(scheduler.upcoming.value)
            while upsets and upsets[0][0] <= tick:
                _, memory, word, bit = upsets.pop(0)
                masks[memory, word] = masks.get((memory, word), 0) ^ 1 << bit
            words = {place: self._memory(self._settings["upset"][place[0]])[place[1]]
                     for place in masks}
            wanted = {place: int(word.value) ^ masks[place] for place, word in words.items()}
            for place, word in words.items():
                word.value = wanted[place]
            await Timer(1, "ns")
            for place, word in words.items():
                if int(word.value) != wanted[place]:
                    raise RuntimeError(f"Word {place[1]} of {self._settings['upset'][place[0]]} "
                                       f"must take a deposit of {wanted[place]}, not keep "
                                       f"{int(word.value)}")

    def _moved(self):
        return [stream.moved for stream in (self._driver, *self._monitors)]

    async def _finish(self):
        """Wait for both last words; raise what went wrong instead."""
        limit = self._settings["quiet_limit"]
        while not self._finished.is_set():
            before = self._moved()
            try:
                await with_timeout(self._finished.wait(), limit * PERIOD, "ns")
            except SimTimeoutError:
                if self._moved() == before:
                    raise HangError(f"the core moved no word for {limit} cycles") from None
                if max(map(len, self._sample.words.values())) > self._settings["word_limit"]:
                    raise HangError("the core sends records without end") from None
        if self._failure:
            raise self._failure

    async def run(self, index):
        """Run one sample. Returns the words of its outputs, and what was read back."""
        job, clk = self._job, self._dut.clk
        start, stop = job["offsets"][index : index + 2]
        expected = None
        if "expected" in job:
            first, last = job["expected_offsets"][index : index + 2]
            expected = job["expected"][first:last]
        flips = job["flips"][job["flips"][:, 0] == index, 1:]
        await self._flip(flips)
        self._sample = Sample(index, self._fields, expected, int(job["starts"][index]))
        self._finished.clear()
        await RisingEdge(clk)
        upsets = job["upsets"][job["upsets"][:, 0] == index, 1:].tolist()
        upsetting = cocotb.start_soon(self._upset(upsets))
        cocotb.start_soon(self._driver.send(job["words"][start:stop].tolist()))
        await self._finish()
        upsetting.cancel()
        await RisingEdge(clk)
        data = await self._bus(job["read"])
        await self._flip(flips)
        if self._failure:
            raise self._failure
        return self._sample.words, data


def save(path, done, failure):
    """Write the result file: what each finished sample gave, and what stopped the job."""
    arrays = {"failure": json.dumps(failure), "read": np.array([data for _, data in done], "u4")}
    for port in ("o", "trace"):
        words = [given[port] for given, _ in done]
        arrays[port] = np.array([word for rows in words for word in rows], np.int64)
        arrays[f"{port}_offsets"] = np.cumsum([0, *map(len, words)])
    np.savez(path, **arrays)


@cocotb.test()
async def run_job(dut):
    """Run every sample of the job file; stop at the first difference."""
    with np.load(os.environ["RANVIER_JOB"], allow_pickle=False) as file:
        job = dict(file)
    bench, done, failure, index = Testbench(dut, job), [], None, 0
    try:
        await bench.start()
        for index in range(job["offsets"].size - 1):
            done.append(await bench.run(index))
    except (MismatchError, HangError) as error:
        text = error.text if isinstance(error, MismatchError) else str(error)
        failure = {"kind": type(error).__name__, "sample": index, "text": text}
    save(os.environ["RANVIER_RESULT"], done, failure)
