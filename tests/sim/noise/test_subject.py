import hashlib

import numpy as np

from ranvier.model.emulator import Emulator

from . import subjects


def test_the_undisturbed_run_is_that_of_single_samples():
    subject = subjects.random_subject(14, samples=7)
    emulator = Emulator(subject.parameters)
    single = [emulator.run(events) for events in subject.clean]
    assert subject.undisturbed.decisions.tolist() == [one.decision for one in single]
    content = b"".join(np.stack([getattr(one, name) for one in single]).tobytes()
                       for name in ("scores", "counters"))
    assert subject.behaviour == hashlib.sha256(content).hexdigest()
    assert subject.undisturbed is subject.undisturbed  # it's run once
