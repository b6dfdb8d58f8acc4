"""Clocks that routing strives for, and when one is given up."""

from itertools import pairwise

import pytest

from ranvier.hw.synthesis import route
from ranvier.hw.synthesis.tools import Hopeless, ToolError

PLACED = """\
Info: Placing
Info: Max frequency for clock 'fast': 400.00 MHz (PASS at 1.00 MHz)
Warning: Max frequency for clock 'clk': {} MHz (FAIL at 100.00 MHz)
"""
ROUND = "Info:     iter={} wires=9 overused={} overuse={} tmgfail={} archfail=NA\n"
ROUTED = "Info: Max frequency for clock 'clk': 7.00 MHz (FAIL at 100.00 MHz)\n"


class Router:
    """Takes nextpnr's place: says what clock it estimates, and reaches some."""

    def __init__(self, estimate, highest):
        self.estimate = estimate
        self.highest = highest
        self.aims = []

    def run(self, program, arguments, folder, hopeless=None):
        options = dict(pairwise(arguments))
        assert (options["--router"], options["--seed"]) == ("router2", "3")
        assert "--some" in arguments
        log, clock = folder / options["--log"], float(options["--freq"])
        assert log.name == "place-3.log"
        assert bool(hopeless) == ("--tmg-ripup" in arguments)
        self.aims.append(clock if hopeless else None)
        if hopeless:
            assert not log.exists()
            assert not hopeless()
            log.write_text(PLACED.format(self.estimate))
            failing = int(clock > self.highest)
            if not hopeless():
                log.write_text(log.read_text() + "Info: Routing..\n" + "".join(
                    ROUND.format(k, 0, 0, failing) for k in range(30)) + ROUTED)
            if hopeless():
                raise Hopeless
            assert not failing

    def route(self, folder, monkeypatch, target):
        monkeypatch.setattr(route, "run", self.run)
        route.place_and_route_many(("nextpnr",), ["--some"], folder, 3, target=target)
        return self.aims


@pytest.mark.parametrize(("highest", "tries"), [(92, 2), (91, 3), (84, 5), (1, 6)])
def test_clocks_are_tried_from_above_the_estimate_on(highest, tries, tmp_path, monkeypatch):
    wanted = [100, 92, 89.24, 86.5628, 83.9659, None]
    assert Router(80, highest).route(tmp_path, monkeypatch, 100.0) == wanted[:tries]


def test_no_more_is_striven_for_than_is_asked(tmp_path, monkeypatch):
    assert Router(80, 90).route(tmp_path, monkeypatch, 25.0) == [25]


def test_a_clock_that_the_estimate_allows_is_lowered_too(tmp_path, monkeypatch):
    assert Router(100, 96).route(tmp_path, monkeypatch, 100.0) == [100, 97, 94.09]


def test_a_router_that_fails_isn_t_run_again(tmp_path, monkeypatch):
    runs = []

    def run(program, arguments, folder, hopeless=None):
        runs.append(arguments)
        raise ToolError("no")

    monkeypatch.setattr(route, "run", run)
    with pytest.raises(ToolError):
        route.place_and_route_many((), [], tmp_path, 3, target=1.0)
    assert len(runs) == 1


@pytest.mark.parametrize(("rounds", "wanted"), [
    ([], False),
    ([(5, 1)] * 60, False),
    ([(5, 1)] * 60 + [(0, 8)] * 29, False),
    ([(5, 1)] * 60 + [(0, 8)] * 30, True),
    ([(0, 8)] * 20 + [(1, 8)] + [(0, 8)] * 20, False),
    ([(0, 0)] * 30, False),
    ([(1, 0)] * 300, False),
    ([(1, 0)] * 301, True),
])
def test_hopeless_is_a_clock_that_is_all_that_is_missing_for_long(rounds, wanted, tmp_path):
    log = tmp_path / "place-1.log"
    log.write_text(PLACED.format(80) + "Info: Routing..\n" + "".join(
        ROUND.format(k, over, over, slow) for k, (over, slow) in enumerate(rounds)) + ROUTED)
    assert route.is_hopeless(log, 92.0) is wanted
    assert route.is_hopeless(log, 92.1)
