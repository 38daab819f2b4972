"""Which branches of the factory's had a pull request when this process first looked: one listing for a whole run."""

from __future__ import annotations

from threading import Lock

from switchyard_merge.forge.contract import Forge


class KnownHeads:
    """Threads share it. The names of branches hold the run's, so nobody but the run opens pull requests from them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._heads: set[str] | None = None

    def may_have_one(self, forge: Forge, head: str) -> bool:
        """Whether the forge must be asked for a pull request from that branch; from now on, it must."""
        with self._lock:
            if self._heads is None:
                self._heads = {pull.head for pull in forge.list(heads_prefix="factory/")}
            is_known = head in self._heads
            self._heads.add(head)
            return is_known
