"""Clocks that routing strives for, and when one is given up."""

import json

import pytest

from ranvier.hw.synthesis import route
from ranvier.hw.synthesis.tools import Hopeless, ToolError

SAID = "Info:     iter={} wires=9 overused={} overuse={} tmgfail={} archfail=NA\n"


class Router:
    """Takes nextpnr's place: says what clock it estimates, and reaches some."""

    def __init__(self, estimate, highest):
        self.estimate = estimate
        self.highest = highest
        self.aims = []

    def run(self, program, arguments, folder, hopeless=None):
        log = folder / arguments[arguments.index("--log") + 1]
        assert not log.exists()
        if "--write" in arguments:
            settings = {"router": "router1", "target_freq": "12000000.0", "seed": "1"}
            (folder / arguments[arguments.index("--write") + 1]).write_text(json.dumps(
                {"modules": {"top": {"settings": settings, "cells": {"all": 1}}, "cell": {}}}))
            log.write_text("Info: Max frequency for clock 'fast': 400.00 MHz (PASS)\n"
                           f"Info: Max frequency for clock 'clk': {self.estimate} MHz (FAIL)\n")
            return
        design = json.loads((folder / arguments[arguments.index("--json") + 1]).read_text())
        top = design["modules"]["top"]
        assert top["cells"] == {"all": 1}
        assert (top["settings"]["router"], top["settings"]["seed"]) == ("router2", "1")
        strives = int(top["settings"]["router/tmg_ripup"], 2)
        clock = float(top["settings"]["target_freq"]) / 1e6
        assert bool(hopeless) == bool(strives)
        self.aims.append(round(clock, 3) if strives else None)
        log.write_text("\n")
        if strives and clock > self.highest:
            raise Hopeless

    def route(self, folder, monkeypatch, target):
        monkeypatch.setattr(route, "run", self.run)
        route.place_and_route_many(("nextpnr",), ["--some"], ["--report", "place-3.json"], folder,
                                   3, target=target)
        assert not (folder / "unrouted-3.json").exists()
        return self.aims


@pytest.mark.parametrize(("highest", "tries"), [(92, 1), (91, 2), (87, 4), (1, 9)])
def test_clocks_are_tried_from_above_the_estimate_on(highest, tries, tmp_path, monkeypatch):
    wanted = [92.0, 90.16, 88.357, 86.59, 84.858, 83.161, 81.497, 79.868, None]
    assert Router(80.0, highest).route(tmp_path, monkeypatch, 100.0) == wanted[:tries]


def test_no_more_is_striven_for_than_is_asked(tmp_path, monkeypatch):
    assert Router(80.0, 90.0).route(tmp_path, monkeypatch, 25.0) == [28.75]


def test_a_router_that_fails_isn_t_run_again(tmp_path, monkeypatch):
    router = Router(80.0, 90.0)

    def run(program, arguments, folder, **rest):
        router.run(program, arguments, folder, **rest)
        if "--write" not in arguments:
            raise ToolError("no")

    monkeypatch.setattr(route, "run", run)
    with pytest.raises(ToolError):
        route.place_and_route_many((), [], [], tmp_path, 3, target=1.0)
    assert len(router.aims) == 1


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
    log = tmp_path / "route-1.log"
    assert not route.is_hopeless(log)
    log.write_text("Info: Router\n" + "".join(
        SAID.format(k, over, over, slow) for k, (over, slow) in enumerate(rounds)))
    assert route.is_hopeless(log) is wanted
