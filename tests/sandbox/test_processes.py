"""Handles of processes that may end, and be buried, at any moment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from switchyard_sandbox.embedded.job import PROCESS
from switchyard_sandbox.embedded.procfs import start_time
from switchyard_sandbox.processes import Process


def test_a_process_that_is_buried_between_the_question_and_the_signal_needed_no_killing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        (tmp_path / PROCESS).write_text(json.dumps({"pid": child.pid, "start": start_time(child.pid)}))
        process = Process(tmp_path)
        ask = process.wait

        def bury(timeout_s: float) -> bool:
            ended = ask(timeout_s)
            child.kill()
            child.wait()
            return ended

        monkeypatch.setattr(process, "wait", bury)
        assert process.stop(1.0) is False
        process.close()
