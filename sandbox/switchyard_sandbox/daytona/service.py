"""The service as this driver uses it: one client, calls that are patient with passing faults, errors of the package."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from switchyard_sandbox.contract import BoxLost, IsolationUnavailable, SandboxError

if TYPE_CHECKING:
    from daytona import Daytona, DaytonaError, Sandbox

T = TypeVar("T")
_TRIES = 5
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 20.0
_PASSING = (429, 500, 502, 503, 504)
_KEY_HINT = "set DAYTONA_API_KEY in the host's environment, and check it in Daytona's dashboard"


def connect(api_key: str, api_url: str, target: str) -> Daytona:
    """A client.

    Raises:
        IsolationUnavailable: There is no key, or the SDK is not installed.
    """
    if not api_key:
        raise IsolationUnavailable("there is no key for Daytona", hint=_KEY_HINT)
    try:
        # 114 MB, and 1.8 s the first time: imported only by those who use it.
        from daytona import Daytona, DaytonaConfig
    except ImportError as err:
        raise IsolationUnavailable(
            f"Daytona's SDK is not installed: {err}", hint="pip install 'switchyard-factory[daytona]'"
        ) from err
    with told("Daytona"):
        return Daytona(DaytonaConfig(api_key=api_key, api_url=api_url or None, target=target or None))


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what the SDK raises into the package's errors."""
    from daytona import DaytonaError

    try:
        yield
    except DaytonaError as err:
        raise _error(what, err) from err


def patiently(call: Callable[[], T]) -> T:
    """Make a call that may be repeated: again while the service is busy or out of reach, and then with its error.

    Raises:
        DaytonaError: It refused, or did not answer five times.
    """
    from daytona import DaytonaError

    pause_s = _FIRST_PAUSE_S
    for _ in range(_TRIES - 1):
        try:
            return call()
        except DaytonaError as err:
            if not is_passing(err):
                raise
            time.sleep(_wait_s(err, pause_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return call()


def is_passing(err: DaytonaError) -> bool:
    """Whether the same call may well succeed in a moment."""
    from daytona import DaytonaConnectionError

    return err.status_code in _PASSING or (isinstance(err, DaytonaConnectionError) and err.status_code is None)


def is_gone(client: Daytona, sandbox: Sandbox) -> bool:
    """Whether the service knows of no such sandbox any more."""
    from daytona import DaytonaNotFoundError, SandboxState

    try:
        state = patiently(lambda: client.get(sandbox.id)).state
    except DaytonaNotFoundError:
        return True
    return state in (SandboxState.DESTROYED, SandboxState.DESTROYING)


def _wait_s(err: DaytonaError, pause_s: float) -> float:
    """As long as the service asks for, within reason."""
    asked = next((value for name, value in err.headers.items() if name.lower() == "retry-after"), "")
    return min(float(asked), _LONGEST_PAUSE_S) if str(asked).isdecimal() else pause_s


def _error(what: str, err: DaytonaError) -> SandboxError:
    from daytona import DaytonaFileNotFoundError

    match err.status_code:
        case 404 if not isinstance(err, DaytonaFileNotFoundError):
            return BoxLost(f"{what}: {err}", hint="it was destroyed or reaped; create another")
        case 401 | 403:
            return SandboxError(f"Daytona refused the key: {err}", hint=_KEY_HINT)
        case 429:
            return SandboxError(f"Daytona's rate limit is reached: {err}", hint="lower `concurrency`, or wait a minute")
    return SandboxError(f"{what}: {err}", hint="see Daytona's status page and dashboard, then retry")
