"""What every sandbox driver promises of limits: what crosses one is ended, with all that it started."""

from __future__ import annotations

import time

import pytest
from sandbox.boxes import MARK, Ground, living
from switchyard_sandbox import BoxId, Limits

pytestmark = pytest.mark.sandbox


class TestLimits:
    def test_the_total_timer_kills_every_descendant(self, ground: Ground, box: BoxId) -> None:
        script = f"trap '' TERM; (setsid sleep {MARK} &) ; sleep {MARK}"
        finished = ground.run(box, script, timeout_s=0.7)
        assert finished.limit == "timeout"
        assert not finished.ok
        assert finished.duration_s < 3
        assert living(MARK) == []

    def test_silence_ends_a_command_and_output_does_not(self, ground: Ground, box: BoxId) -> None:
        assert ground.run(box, f"echo x; sleep {MARK}", stall_s=0.6).limit == "stall"
        talking = ground.run(box, "for i in 1 2 3 4 5; do echo $i; sleep 0.3; done", stall_s=1.2)
        assert (talking.limit, talking.exit_code) == (None, 0)

    def test_a_daemon_does_not_outlive_its_command(self, ground: Ground, box: BoxId) -> None:
        began = time.monotonic()
        assert ground.did(box, f"(setsid sleep {MARK} >/dev/null 2>&1 &); (sleep {MARK} &); echo done") == "done\n"
        assert time.monotonic() - began < 5
        assert living(MARK) == []

    def test_a_box_past_its_ttl_ends_by_itself(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit, ttl_s=1.5))
        finished = ground.run(box, f"sleep {MARK}")
        assert finished.limit == "timeout"
        assert finished.duration_s < 4

    def test_the_disk_quota_ends_who_goes_on_writing(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit, limits=Limits(disk_mb=20)))
        script = "i=0; while :; do head -c 4000000 /dev/zero > f$i || exit 9; i=$((i+1)); sleep 0.05; done"
        assert ground.run(box, script, timeout_s=30).limit == "disk"
