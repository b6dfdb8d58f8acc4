from ranvier.sim import noisepage
from ranvier.sim.pictures import Picture


def level(k, *, spread):
    return {"level": 0.1 * k, "rows": [10 * k, 10 * k + 9], "accuracy": 0.8, "interval": [0.7, 0.9],
            "by_instance": [0.75, 0.85] if spread else [0.8],
            "spikes": {"clean": 3, "missing": 1, "extra": 0, "shifts": [[0, 2]],
                       "victor_purpura": [1.0], "van_rossum": [0.7]},
            "spread": {"low": 0.755, "least": 0.75, "bound": None} if spread else None}


def kind(*, spread):
    return {"unit": "ms", "origin": "chips", "digital": True, "verdict": "exact",
            "levels": [level(1, spread=spread), level(2, spread=spread)], "kept": 0.9,
            "critical": {"1": None, "5": {"level": 0.15, "below_first": False}}}


NOISE = {"clean": {"accuracy": 0.9}, "ranking": ["weight_flips", "event_loss"],
         "kinds": {"event_loss": kind(spread=False), "weight_flips": kind(spread=True)}}


def test_kinds_come_by_rank_and_those_with_chips_have_violins():
    flips, loss = noisepage._noise(NOISE, 0.5)
    assert (flips["title"], loss["title"]) == ("weight flips", "event loss")
    assert isinstance(flips["chips"], Picture)
    assert isinstance(loss["moved"], Picture)
    assert loss["chips"] is None
    assert flips["critical"] == ["not reached", "0.15"]
    assert [row["rows"] for row in flips["levels"]] == [[10, 19], [20, 29]]


def test_a_slow_link_is_shown_if_it_was_studied():
    queue = {"depths": [1, 2], "events": 9, "loads": [{"load": 0.5, "full": [1, 0], "needed": 2}]}
    counts = {"events": 9, "lost": 1}
    wait = kind(spread=False)
    wait["levels"] = [row | {"counts": counts} for row in wait["levels"]]
    kinds = {**NOISE["kinds"], "congestion_wait": wait}
    found = noisepage._congestion(NOISE | {"kinds": kinds, "queue": queue})
    assert isinstance(found["picture"], Picture)
    assert found["loads"] == queue["loads"]
    assert noisepage._congestion(NOISE | {"queue": None}) is None


def test_a_replay_that_differs_is_the_one_to_see_again():
    def pick(row, difference=None):
        return {"row": row, "kind": "event_loss", "sample": 3, "records": 50,
                "difference": difference}

    picks = [pick(4), pick(5, "p is 1"), pick(6, "p is 2")]
    (row,) = noisepage._replayed({"simulators": {"cxxrtl": {"picks": picks}}})
    assert (row["rows"], row["records"], row["mismatches"], row["shown"]["row"]) == (3, 150, 2, 5)
    (row,) = noisepage._replayed({"simulators": {"cxxrtl": {"picks": picks[:1]}}})
    assert (row["mismatches"], row["shown"]["row"]) == (0, 4)
