"""The one way out of a box: a proxy on the host that dials only allowed names and writes a line for each decision.

Denied by default. A name is normalised once and resolved here, and exactly the address that was judged is dialled, so
that neither rebinding nor a second spelling gets past the list. What goes through CONNECT must be TLS to that name.
"""

from __future__ import annotations

import ipaddress
import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence

from switchyard_sandbox.client_hello import read_server_name
from switchyard_sandbox.presets import expand

_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+))*")
_HEAD_BYTES = 16 << 10
_IDLE_S = 120.0
_DIAL_S = 20.0
_PIECE = 1 << 16
_MOST_BYTES = 1 << 62
_PORTS = (80, 443)
_MOST_CONNECTIONS = 128
_MOST_DECISIONS = 50_000
"""Of one command; after that its proxy answers nothing more."""
_MOST_TOLD = 500
"""Characters of a request or a reason in the audit."""
_FIRST_LINE = re.compile(rb"[A-Za-z]+ [\x21-\x7e]+ HTTP/1\.[0-9]")
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*")

_REFUSED_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fc00::/7"),
        *("fe80::/10", "fec0::/10", "ff00::/8"),
        # A public address that Azure answers to its own machines alone, with their credentials.
        "168.63.129.16/32",
    )
]


Resolve = Callable[[str, int], list[str]]


class Refused(Exception):
    """A request that is not let through, with the reason that the audit line gives."""


class AllowList:
    """The names that may be reached: exact, or `*.suffix` for everything below; `name:port` opens one more port."""

    def __init__(self, names: Sequence[str], internal: Sequence[str], resolve: Resolve | None = None) -> None:
        """Normalise once.

        Args:
            names: Host names and names of presets.
            internal: Names of the list that may lie at private addresses.
            resolve: From a name and a port to addresses; None: as this machine does.
        """
        self._resolve = resolve or resolve_by_system
        self._rules = [self._rule(name) for name in expand(names)]
        self._internal = {name.lower().rstrip(".") for name in internal}

    def judge(self, host: str, port: int) -> tuple[str, str]:
        """The normalised name and the one address to dial.

        Raises:
            Refused: It may not be reached.
        """
        name = normalise(host)
        if not any(_matches(name, pattern) and port in ports for pattern, ports in self._rules):
            raise Refused(f"{name}:{port} is not on the list")
        for address in self._resolve(name, port):
            if name in self._internal or not _is_private(address):
                return name, address
        raise Refused(f"{name} lies at a private address")

    @staticmethod
    def _rule(name: str) -> tuple[str, tuple[int, ...]]:
        host, _, port = name.partition(":")
        return host.lower().rstrip("."), (*_PORTS, int(port)) if port else _PORTS


class Proxy:
    """Serves CONNECT and plain `http://` requests on one listening socket."""

    def __init__(self, allowed: AllowList, audit: str) -> None:
        self._allowed = allowed
        self._audit = audit
        self._slots = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._decisions = 0

    def serve(self, listener: socket.socket) -> None:
        """Accept until the process ends."""
        while True:
            client, _ = listener.accept()
            if self._decisions >= _MOST_DECISIONS:
                client.close()
                continue
            self._slots.acquire()
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        try:
            with client:
                client.settimeout(_IDLE_S)
                self._handle(client)
        except OSError:
            # The client or the other side went away: nothing is left to be told to anybody.
            return
        finally:
            self._slots.release()

    def _handle(self, client: socket.socket) -> None:
        asked = ""
        try:
            head, rest = _read_head(client)
            asked = head.partition(b"\r\n")[0].decode("latin-1")
            method, host, port, forward = parse(head)
            body_bytes = _MOST_BYTES if method == "CONNECT" else body_length(head) - len(rest)
            if body_bytes < 0:
                raise Refused("a second request follows the first")
            name, address = self._allowed.judge(host, port)
        except Refused as err:
            self._log(asked, "refused", str(err))
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        try:
            upstream = socket.create_connection((address, port), timeout=_DIAL_S)
        except OSError as err:
            self._log(asked, "unreachable", f"{name} at {address}: {err}")
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        with upstream:
            try:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    rest = self._read_hello(client, rest, name)
            except Refused as err:
                self._log(asked, "refused", str(err))
                return
            self._log(asked, "allowed", f"{name} at {address}")
            upstream.settimeout(_IDLE_S)
            upstream.sendall(forward + rest)
            relay(client, upstream, _IDLE_S, body_bytes)

    @staticmethod
    def _read_hello(client: socket.socket, rest: bytes, name: str) -> bytes:
        """The first bytes of a tunnel, which must open TLS to the name that CONNECT gave."""
        try:
            hello, told = read_server_name(lambda: client.recv(_PIECE), rest)
        except ValueError as err:
            raise Refused(f"what follows CONNECT is no TLS to {name}: {err}") from err
        if told.lower().rstrip(".") != name:
            raise Refused(f"TLS is to {told!r}, CONNECT to {name}")
        return hello

    def _log(self, asked: str, decision: str, reason: str) -> None:
        self._decisions += 1
        told = {"asked": asked[:_MOST_TOLD], "decision": decision, "reason": reason[:_MOST_TOLD]}
        with open(self._audit, "a") as file:
            file.write(json.dumps({"time": time.time(), **told}) + "\n")


def normalise(host: str) -> str:
    """A host name in the one spelling that is compared, resolved and logged.

    Raises:
        Refused: It is no plain host name: an address, or something that another reader may take for another name.
    """
    name = host.lower().rstrip(".")
    if ":" in name or "[" in name or _NUMERIC.fullmatch(name):
        raise Refused(f"{host!r} is an address; only names are let through")
    if not _NAME.fullmatch(name):
        raise Refused(f"{host!r} is no host name")
    return name


def parse(head: bytes) -> tuple[str, str, int, bytes]:
    """Method, host and port of a request, and what goes on to the other side.

    Raises:
        Refused: It is no request that a proxy serves, or its Host names another place than its target.
    """
    lines = head.split(b"\r\n")
    if not all(_HEADER.fullmatch(line) for line in lines[1:]):
        raise Refused("a header that two readers could read differently")
    if not _FIRST_LINE.fullmatch(lines[0]):
        raise Refused("no HTTP/1 request")
    method, target, version = lines[0].decode("ascii").split(" ")
    hosts = [
        line.split(b":", 1)[1].strip().decode("latin-1") for line in lines[1:] if line.lower().startswith(b"host:")
    ]
    if method == "CONNECT":
        host, port = _place(target, 443)
        if any(_place(other, 443)[0].lower() != host.lower() for other in hosts):
            raise Refused("Host names another place than CONNECT")
        return method, host, port, b""
    if not target.lower().startswith("http://"):
        raise Refused("neither CONNECT nor an http:// address")
    authority, slash, path = target[7:].partition("/")
    host, port = _place(authority, 80)
    if len(hosts) > 1 or any(_place(other, 80) != (host, port) for other in hosts):
        raise Refused("Host names another place than the address")
    kept = [line for line in lines[1:] if not line.lower().startswith((b"proxy-", b"connection:", b"keep-alive:"))]
    first = f"{method} {slash or '/'}{path} {version}".encode("latin-1")
    # One request a connection: the next could name another host.
    return method, host, port, b"\r\n".join([first, b"Connection: close", *kept]) + b"\r\n\r\n"


def body_length(head: bytes) -> int:
    """How many bytes of a plain request follow its head.

    Raises:
        Refused: It doesn't say, or not once: what follows could be a request to another name.
    """
    lengths = []
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() in (b"transfer-encoding", b"upgrade"):
            raise Refused(f"{name.decode('latin-1')} is not let through: the request must say its length")
        if name.lower() == b"content-length":
            lengths.append(value.strip())
    if len(lengths) > 1 or any(not length.isdigit() for length in lengths):
        raise Refused("the request does not say one length")
    return int(lengths[0]) if lengths else 0


def _place(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise Refused("user information in the address")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return authority, default_port
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise Refused(f"{port!r} is no port")
    return host, int(port)


def _matches(name: str, pattern: str) -> bool:
    return name.endswith(pattern[1:]) and name != pattern[2:] if pattern.startswith("*.") else name == pattern


def resolve_by_system(name: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError as err:
        raise Refused(f"{name} can't be resolved: {err}") from err
    return [str(place[4][0]) for place in found]


def _is_private(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return any(parsed.version == network.version and parsed in network for network in _REFUSED_NETWORKS)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(4096)
        if not piece or len(data) > _HEAD_BYTES:
            raise Refused("no complete request")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def relay(client: socket.socket, upstream: socket.socket, idle_s: float, most_bytes: int = _MOST_BYTES) -> None:
    """Carry bytes both ways until both sides have ended, or neither speaks for too long.

    Args:
        most_bytes: What the client may send; more ends it.
    """
    ways = {client: upstream, upstream: client}
    while ways:
        ready, _, _ = select.select(list(ways), [], [], idle_s)
        if not ready:
            return
        for source in ready:
            data = source.recv(_PIECE)
            if source is client:
                most_bytes -= len(data)
                if most_bytes < 0:
                    return
            if data:
                ways[source].sendall(data)
                continue
            target = ways.pop(source)
            target.shutdown(socket.SHUT_WR)
