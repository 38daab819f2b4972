"""What every sandbox driver promises of a box's life: found, told, ended, reaped."""

from __future__ import annotations

import threading
import time

import pytest
from sandbox.boxes import MARK, Ground, living
from switchyard_sandbox import BoxId, BoxLost, Chunk, Command

pytestmark = pytest.mark.sandbox


class TestLife:
    def test_labels_find_a_box_again(self, ground: Ground, commit: str) -> None:
        one = ground.box(ground.spec(commit, labels={"run": "a", "task": "x"}))
        two = ground.box(ground.spec(commit, labels={"run": "a", "task": "y"}))
        assert {info.id for info in ground.driver.list({"run": "a"})} == {one, two}
        assert [info.id for info in ground.driver.list({"run": "a", "task": "y"})] == [two]
        assert list(ground.driver.list({"run": "b"})) == []

    def test_a_running_box_says_so(self, ground: Ground, box: BoxId) -> None:
        states = []

        def look(_: Chunk) -> None:
            states.extend(info.state for info in ground.driver.list())

        ground.driver.execute(box, Command(("sh", "-c", "echo x; sleep 0.2")), look)
        assert states == ["running"]
        assert [info.state for info in ground.driver.list()] == ["idle"]

    def test_a_destroyed_box_is_gone_and_destroying_it_again_is_no_error(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "mkdir -p deny/inner && touch deny/inner/x && chmod 000 deny/inner deny")
        ground.driver.destroy(box)
        ground.driver.destroy(box)
        assert list(ground.driver.list()) == []
        assert list((ground.state / "boxes").iterdir()) == []
        ground.await_empty("trash")
        for use in (
            lambda: ground.driver.execute(box, Command(("true",))),
            lambda: ground.driver.put(box, "x", b""),
            lambda: ground.driver.workdir(box),
            lambda: ground.driver.extract(box, ground.quarantine),
        ):
            with pytest.raises(BoxLost):
                use()

    def test_ids_that_nobody_gave_out_are_lost_boxes(self, ground: Ground) -> None:
        for name in ("box-0", "../../etc", ""):
            with pytest.raises(BoxLost):
                ground.driver.execute(BoxId(name), Command(("true",)))
            ground.driver.destroy(BoxId(name))

    def test_destroying_a_running_box_kills_all_of_it(self, ground: Ground, box: BoxId) -> None:
        lost: list[BaseException] = []

        def work() -> None:
            try:
                ground.run(box, f"sleep {MARK}")
            except BoxLost as err:
                lost.append(err)

        thread = threading.Thread(target=work)
        thread.start()
        while not living(MARK):
            time.sleep(0.02)
        ground.driver.destroy(box)
        thread.join(10)
        assert living(MARK) == []
        assert len(lost) == 1

    def test_the_shared_checkout_is_never_written(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        ground.did(box, "echo changed > README.md; rm -r src; git commit -qam changed")
        other = ground.box(ground.spec(commit))
        assert ground.did(other, "cat README.md src/app.py; git log --oneline | wc -l") == ("hello\nprint('app')\n1\n")

    def test_reaping_leaves_what_is_alive_and_takes_what_is_past_its_time(self, ground: Ground, commit: str) -> None:
        alive = ground.box(ground.spec(commit))
        old = ground.box(ground.spec(commit, ttl_s=0.0))
        kept = ground.box(ground.spec(commit, ttl_s=0.0))
        assert list(ground.driver.reap(keep=frozenset({kept}))) == [old]
        assert {info.id for info in ground.driver.list()} == {alive, kept}
