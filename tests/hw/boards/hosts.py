"""A host for the Amaranth simulator: sends bytes to a unit without a UART, and takes its own."""


from ranvier.hw.boards.protocol import ESCAPE, FLAG, decode, encode
from ranvier.sim.benches import no_stalls, until

__all__ = ["DAMAGES", "Host", "damaged", "request"]

DAMAGES = ("flip", "lost byte", "truncated", "aborted", "garbage", "merged")


def request(tag, command, *words):
    """Return the body of a request."""
    return bytes([tag, getattr(command, "value", command)]) + b"".join(
        word.to_bytes(4, "little") for word in words)


class Host:
    """Plays bytes to ``dut.rx`` and takes those of ``dut.tx``, with rests between them."""

    def __init__(self, dut, stalls=no_stalls):
        self._dut = dut
        self._stalls = stalls
        self.frames = []  # bodies of the frames that came; None for a damaged one

    async def send(self, ctx, data, *, broken=()):
        """Send bytes; ``broken`` are the places of those without a stop bit."""
        rx = self._dut.rx
        for place, byte in enumerate(data):
            for _ in range(self._stalls()):
                await ctx.tick()
            ctx.set(rx.payload, {"data": byte, "broken": place in broken})
            ctx.set(rx.valid, 1)
            await ctx.tick()
            ctx.set(rx.valid, 0)

    async def take(self, ctx):
        """Take bytes for ever; run it in the background."""
        inside = None
        while True:
            for _ in range(self._stalls()):
                await ctx.tick()
            ctx.set(self._dut.tx.ready, 1)
            [byte] = await until(ctx, self._dut.tx.valid, self._dut.tx.payload)
            ctx.set(self._dut.tx.ready, 0)
            if byte != FLAG:
                inside.append(byte)  # fails if a frame doesn't begin with a flag
            elif inside:
                self.frames.append(decode(bytes(inside)))
                inside = None
            else:
                inside = bytearray()

    async def answer(self, ctx, count, cycles=5000):
        """Wait until ``count`` frames came; returns the last one."""
        for _ in range(cycles):
            if len(self.frames) >= count:
                return self.frames[count - 1]
            await ctx.tick()
        raise TimeoutError(f"{count} frames must come within {cycles} cycles, "
                           f"not {len(self.frames)}")

    async def ask(self, ctx, body):
        """Send a request; returns status and words of the answer, and checks its tag."""
        await self.send(ctx, encode(body))
        answer = await self.answer(ctx, len(self.frames) + 1)
        assert answer[0] == body[0]
        assert len(answer) % 4 == 2
        return answer[1], [int.from_bytes(answer[k : k + 4], "little")
                           for k in range(2, len(answer), 4)]


def damaged(body, kind, rng):
    """Return a frame that was damaged on its way, in one of the ways of ``DAMAGES``."""
    frame = encode(body)
    place = int(rng.integers(1, len(frame) - 1))
    wrong = frame[place] ^ (1 << int(rng.integers(8)))
    return {
        # A flag would make two damaged frames of one.
        "flip": frame[:place] + bytes([frame[place] ^ 1 if wrong == FLAG else wrong])
        + frame[place + 1 :],
        "lost byte": frame[:place] + frame[place + 1 :],
        "truncated": frame[: max(place, 2)] + bytes([FLAG]),
        "aborted": frame[:place] + bytes([ESCAPE, FLAG]),
        "garbage": bytes(int(byte) for byte in rng.integers(0, FLAG, 30)) + bytes([FLAG]),
        "merged": frame[:-1] + frame[1:],
    }[kind]
