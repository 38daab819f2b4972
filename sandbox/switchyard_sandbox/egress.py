"""The one way out of a box: a proxy on the host that dials only allowed names and writes a line for each decision.

Denied by default. A name is normalised once and resolved here, and exactly the address that was judged is dialled, so
that neither rebinding nor a second spelling gets past the list.
"""

from __future__ import annotations

import ipaddress
import json
import re
import select
import socket
import threading
import time
from collections.abc import Sequence

_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+))*")
_HEAD_BYTES = 16 << 10
_IDLE_S = 120.0
_DIAL_S = 20.0
_PIECE = 1 << 16
_PORTS = (80, 443)
_MOST_CONNECTIONS = 128

_REFUSED_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fc00::/7"),
        *("fe80::/10", "fec0::/10", "ff00::/8"),
    )
]


class Refused(Exception):
    """A request that is not let through, with the reason that the audit line gives."""


class AllowList:
    """The names that may be reached: exact, or `*.suffix` for everything below; `name:port` opens one more port."""

    def __init__(self, names: Sequence[str], internal: Sequence[str]) -> None:
        """Normalise once.

        Args:
            internal: Names of the list that may lie at private addresses.
        """
        self._rules = [self._rule(name) for name in names]
        self._internal = {name.lower().rstrip(".") for name in internal}

    def judge(self, host: str, port: int) -> tuple[str, str]:
        """The normalised name and the one address to dial.

        Raises:
            Refused: It may not be reached.
        """
        name = normalise(host)
        if not any(_matches(name, pattern) and port in ports for pattern, ports in self._rules):
            raise Refused(f"{name}:{port} is not on the list")
        for address in _resolve(name, port):
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

    def serve(self, listener: socket.socket) -> None:
        """Accept until the process ends."""
        while True:
            client, _ = listener.accept()
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
        self._log(asked, "allowed", f"{name} at {address}")
        with upstream:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            upstream.sendall(forward + rest)
            _relay(client, upstream)

    def _log(self, asked: str, decision: str, reason: str) -> None:
        line = json.dumps({"time": time.time(), "asked": asked, "decision": decision, "reason": reason})
        with open(self._audit, "a") as file:
            file.write(line + "\n")


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
    words = lines[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refused("no HTTP/1 request")
    method, target, version = words
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


def _resolve(name: str, port: int) -> list[str]:
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


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended, or neither speaks for too long."""
    ways = {one: other, other: one}
    while ways:
        ready, _, _ = select.select(list(ways), [], [], _IDLE_S)
        if not ready:
            return
        for source in ready:
            data = source.recv(_PIECE)
            if data:
                ways[source].sendall(data)
                continue
            target = ways.pop(source)
            target.shutdown(socket.SHUT_WR)
