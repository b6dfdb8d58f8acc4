"""A core on a board, or in a simulator, at the other end of a serial line."""

import time
from dataclasses import dataclass

import numpy as np

from ..hw.boards.boards import BAUD
from ..hw.boards.protocol import (
    FLAG,
    PROTOCOL,
    WORDS,
    Command,
    Status,
    decode,
    encode,
    fingerprint,
)
from ..hw.images import load_words
from ..hw.payloads import Memory
from ..hw.registers import IDENTITY, REGISTERS, VERSION, BusMap
from .simulation import core_fields, input_words

__all__ = ["Device", "DeviceError", "Outcome"]

ATTEMPTS = 5  # of a request, before it's given up
POSITIONS = 256  # positions in a stream are counted modulo this
NOISE = 8192  # bytes that a line may give without an answer among them


class DeviceError(RuntimeError):
    """A device that doesn't answer, or not as it should; the text says what was sent and came."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a core said of a sample.

    Members
    -------
    decision : int
        Class index.
    spikes : (spikes, 2) int64
        Ticks and neurons, sorted.
    """

    decision: int
    spikes: np.ndarray


class _Link:
    """Asks and waits for the answer; asks again where there's none."""

    def __init__(self, port):
        self.port = port
        self._tag = 0
        self._received = bytearray()
        port.reset_input_buffer()

    def request(self, command, *words):
        """Send a request. Returns the words (list of int) of its answer."""
        sent = np.array(words, "<u4").tobytes()
        for _ in range(ATTEMPTS):
            self._tag = (self._tag + 1) % 256
            self.port.write(encode(bytes([self._tag, command.value]) + sent))
            answer, damaged = self._answer()
            if answer is not None:
                break
        else:
            raise DeviceError(
                f"{command.name} with {len(words)} words must be answered within "
                f"{ATTEMPTS} attempts, not with {damaged} damaged or late frames in the last one")
        if answer[1] != Status.OK.value or len(answer) % 4 != 2:
            raise DeviceError(f"{command.name} with {len(words)} words must be answered with "
                              f"status 0 and whole words, not with {answer[1:].hex(' ')}")
        return np.frombuffer(answer[2:], "<u4").tolist()

    def _answer(self):
        """Return the answer to the latest request, or None, and the frames that weren't it."""
        others = 0
        for frame in self._frames():
            answer = decode(frame)
            if answer is not None and len(answer) >= 2 and answer[0] == self._tag:
                return answer, others
            others += 1
        return None, others

    def _frames(self):
        """Yield what stands between flags, until the line is silent."""
        for _ in range(NOISE):
            end = self._received.find(FLAG)
            if end >= 0:
                frame = bytes(self._received[:end])
                del self._received[: end + 1]
                if frame:
                    yield frame
                continue
            piece = self.port.read(max(1, self.port.in_waiting))
            if not piece:
                return
            self._received += piece


class Device:
    """A core behind the protocol of docs/boards.md.

    It's reset when the object is made. Its parameters stay. With ``config.streaming``, what `run`
    takes is the next window of a stream, which begins at a reset.

    Parameters
    ----------
    port : object
        What a ``serial.Serial`` is, as far as it has ``read``, ``write``, ``in_waiting``,
        ``reset_input_buffer`` and ``close``. A ``read`` gives up after a time of its own.
    config : CoreConfig
        Of the design that the board was built for.

    Raises
    ------
    DeviceError
        If nothing answers, or it's something else than a core of this config.
    """

    def __init__(self, port, config):
        self._config = config
        self._bus = BusMap(config)
        self._link = _Link(port)
        (state, design) = self._ask(Command.PING, count=2)
        if state & 0xFF != PROTOCOL or design != fingerprint(config):
            raise DeviceError(
                f"The board must speak protocol {PROTOCOL} and have a core of the design "
                f"{fingerprint(config):08x}, not protocol {state & 0xFF} and {design:08x}")
        self.reset()
        found = self.registers()
        if (found["identity"], found["version"]) != (IDENTITY, VERSION):
            raise DeviceError(f"The core must be {IDENTITY:08x}, version {VERSION}, not "
                              f"{found['identity']:08x}, version {found['version']}")

    @classmethod
    def open(cls, port, config, *, baud=BAUD, timeout=0.5):
        """Open a serial port.

        Parameters
        ----------
        port : str
            ``/dev/ttyUSB1``, or a URL of pyserial.
        config : CoreConfig
        baud : int
            The one that the board was built with.
        timeout : float
            Seconds of silence after which a request is sent again.
        """
        try:
            import serial
        except ImportError:
            raise RuntimeError("pyserial must be installed to speak to a board, and is missing: "
                               "pip install 'ranvier[board]'") from None
        opened = serial.serial_for_url(port, baudrate=baud, timeout=timeout)
        try:
            return cls(opened, config)
        except BaseException:
            opened.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close the port."""
        self._link.port.close()

    def _ask(self, command, *words, count=1):
        """Send a request whose answer has ``count`` words; returns them."""
        answer = self._link.request(command, *words)
        if len(answer) != count:
            raise DeviceError(f"{command.name} with {len(words)} words must be answered with "
                              f"{count} words, not {len(answer)}")
        return answer

    @property
    def damaged(self):
        """Damaged frames that the board has received since it was configured, modulo 256."""
        return self._ask(Command.PING, count=2)[0] >> 8 & 0xFF

    def reset(self):
        """Reset the core: what it was doing is forgotten, its parameters aren't."""
        self._ask(Command.RESET)
        self._taken = self._given = 0
        self._start = 0  # the tick at which the next window of a stream starts
        self._running = False

    def read(self, address, count=1):
        """Return ``count`` words, up to 255, from a bus address on, as a list of int."""
        return self._ask(Command.READ, address, count, count=count)

    def write(self, address, words):
        """Write words from a bus address on."""
        for start in range(0, len(words), WORDS):
            self._ask(Command.WRITE, address + start, *words[start : start + WORDS])

    def registers(self):
        """Return every register of the core, by name."""
        words = self.read(self._bus.address(Memory.REGISTERS), 1 + max(REGISTERS.values()))
        return {name: words[offset] for name, offset in REGISTERS.items()}

    def load(self, parameters):
        """Load `Parameters` of the board's config.

        Raises
        ------
        ValueError
            If they're of another config.
        DeviceError
            If the core refuses a word.
        """
        if parameters.config != self._config:
            raise ValueError(f"Parameters must have the board's config {self._config}, "
                             f"not {parameters.config}")
        refused = self.read(self._bus.register("refused"))
        addresses, words = load_words(parameters)
        breaks = np.flatnonzero(np.diff(addresses) != 1) + 1
        for start, stop in zip((0, *breaks), (*breaks, len(words)), strict=True):
            self.write(int(addresses[start]), words[start:stop])
        now = self.read(self._bus.register("refused"))
        if now != refused:
            raise DeviceError(f"The core must take all {len(words)} words of its parameters, "
                              f"not refuse {now[0] - refused[0]}")

    def run(self, events, *, patience=10.0):
        """Run a sample.

        Parameters
        ----------
        events : TickEvents
        patience : float
            Seconds that the core may work without taking a word or giving one.

        Returns
        -------
        Outcome

        Raises
        ------
        DeviceError
            If the core falls silent, or its output breaks its contract. The next sample starts
            with a reset.
        """
        if self._running:
            self.reset()
        self._running = True
        words, sent, output = input_words(self._config, events, self._start), 0, []
        last = next(field for field in self._fields() if field.name == "last")
        moved = time.monotonic()
        while not (output and last.of(output[-1])):
            taken = self._send(words[sent : sent + WORDS]) if sent < len(words) else 0
            sent += taken
            given = self._receive() if taken < WORDS else []
            output += given
            if taken or given:
                moved = time.monotonic()
            elif time.monotonic() - moved > patience:
                raise DeviceError(f"The core must move a word within {patience} s, not stop after "
                                  f"taking {sent} of {len(words)} and giving {len(output)}")
        self._running = False
        outcome = self._outcome(output, sent, len(words))
        if self._config.streaming:
            self._start += self._config.ticks
        return outcome

    def _fields(self):
        return core_fields(self._config)["o"]

    def _send(self, words):
        """Send words of events; returns how many the core has taken."""
        (state,) = self._ask(Command.EVENTS, self._taken, *words)
        taken = ((state >> 16) - self._taken) % POSITIONS
        if taken > len(words):
            raise DeviceError(f"The board must take at most the {len(words)} words that were sent, "
                              f"not {taken}")
        self._taken = (self._taken + taken) % POSITIONS
        return taken

    def _receive(self):
        """Return the words of output that are there."""
        words = self._link.request(Command.OUTPUT, self._given)
        self._given = (self._given + len(words)) % POSITIONS
        return words

    def _outcome(self, output, sent, count):
        """Return the outcome that output words tell, which end with the first last one."""
        rows = {field.name: field.of(np.array(output, np.int64)) for field in self._fields()}
        rows["tick"] = (rows["tick"] - self._start) & ((1 << self._config.tick_bits) - 1)
        lasts = int(rows["last"].sum())
        if sent != count or lasts != 1 or rows["tick"][-1] != self._config.ticks:
            raise DeviceError(
                f"The core must end its sample once, after {count} words and "
                f"{self._config.ticks} ticks, not {lasts} times, after {sent} words and "
                f"{rows['tick'][-1]} ticks")
        spikes = np.stack([rows["tick"][:-1], rows["neuron"][:-1]], axis=1)
        order = np.lexsort((spikes[:, 1], spikes[:, 0]))
        return Outcome(int(rows["neuron"][-1]), spikes[order])
