"""What goes wrong on the way, on demand, and a record of every request that came."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass
class Fault:
    """One kind of trouble for requests whose method and path fit."""

    method: str
    path: str
    """A regular expression that is searched for in the path."""
    status: int = 0
    """Of the answer; 0: the connection is cut without one."""
    message: str = ""
    text: str | None = None
    """What is sent instead of JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    has_acted: bool = False
    """Whether the request was carried out before its answer was lost."""
    times: int = 1


@dataclass(frozen=True)
class Request:
    """One request to the API."""

    method: str
    path: str
    token: str

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


class Faults:
    """The troubles that are due, and what was asked. The proxy's thread and the test's share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: list[Fault] = []
        self._storm: Sequence[Fault] = ()
        self._last_alive: int | None = None
        self._writes_left: int | None = None
        self._seen: list[Request] = []
        self.of_git: list[Fault] = []
        """What happens to the next requests of git's own protocol, which are not recorded."""
        self.expired: set[str] = set()
        """Tokens that are good no more."""

    def add(self, fault: Fault) -> None:
        """Something goes wrong the next times."""
        with self._lock:
            self._due.append(fault)

    def note_git(self, method: str, path: str) -> Fault | None:
        """The trouble that a request of git's meets, if any."""
        with self._lock:
            met = [one for one in self.of_git if one.method == method and re.search(one.path, path)]
            for fault in met[:1]:
                self.of_git.remove(fault)
            return met[0] if met else None

    def storm(self, kinds: Sequence[Fault]) -> None:
        """From now on: every second request meets a trouble, one kind after the other, whatever its method and path."""
        with self._lock:
            self._storm = [replace(kind, method="*", path=".") for kind in kinds]

    def die_after(self, requests: int) -> None:
        """From now on: so many requests are carried out, the answer to the last is lost, and nothing gets through."""
        with self._lock:
            self._last_alive = len(self._seen) + requests

    def die_after_writes(self, writes: int) -> None:
        """The same, where only requests that change something are counted."""
        with self._lock:
            self._writes_left = writes

    def clear(self) -> None:
        """All is well again, and nothing was asked yet."""
        with self._lock:
            self._due.clear()
            self._storm = ()
            self._seen.clear()
            self._last_alive = None
            self._writes_left = None

    @property
    def seen(self) -> list[Request]:
        """Every request since the last `clear`, those that met a fault too."""
        with self._lock:
            return list(self._seen)

    @property
    def writes(self) -> list[Request]:
        """The requests that change something."""
        return [request for request in self.seen if request.is_write]

    @property
    def reads(self) -> list[Request]:
        """The requests that only look."""
        return [request for request in self.seen if not request.is_write]

    def note(self, request: Request) -> Fault | None:
        """Record a request; the fault that it meets, if any."""
        with self._lock:
            self._seen.append(request)
            if self._writes_left and request.is_write:
                self._writes_left -= 1
                if not self._writes_left:
                    self._last_alive = len(self._seen)
            if self._last_alive is not None and len(self._seen) >= self._last_alive:
                return Fault(request.method, "", has_acted=len(self._seen) == self._last_alive)
            if self._storm and len(self._seen) % 2:
                return self._storm[len(self._seen) // 2 % len(self._storm)]
            for fault in self._due:
                if fault.method in ("*", request.method) and re.search(fault.path, request.path):
                    fault.times -= 1
                    if not fault.times:
                        self._due.remove(fault)
                    return fault
            return None
