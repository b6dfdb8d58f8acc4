from ranvier.sim.summary import bits_table, seeds_table

ROWS = [{"seed": s, "float": f, "fixed": f - 0.01, "samples": 300}
        for s, f in ((1, 0.91), (2, 0.93))]


def test_the_table_of_seeds_has_each_and_the_mean():
    figures = {"mean": 0.92, "sd": 0.0141, "least": 0.91, "largest": 0.93}
    table = seeds_table({"seeds": ROWS, "float": figures, "fixed": figures})
    assert table.splitlines() == [
        "2 seeds, 300 test samples",
        "  seed 1       float 91.00%, fixed 90.00%",
        "  seed 2       float 93.00%, fixed 92.00%",
        "  float, mean  92.00%, standard deviation 1.41%, from 91.00% to 93.00%",
        "  fixed, mean  92.00%, standard deviation 1.41%, from 91.00% to 93.00%",
    ]


def test_the_table_of_bits_has_each_point():
    rows = [{"kind": "weights", "bits": 4, "before": 0.5, "after": 0.97},
            {"kind": "delays", "bits": 2, "before": 0.8, "after": None}]
    table = bits_table({"rows": rows, "float": 0.98, "samples": 300})
    assert table.splitlines() == [
        "300 test samples, float 98.00%",
        "  weights, 4 bits  50.00%, fine-tuned 97.00%",
        "  delays, 2 bits   80.00%",
    ]
