"""The gateway: a process of the host that adds model keys to what boxes ask, counts what they use, and outlives us."""

from switchyard_sandbox.gateway.endpoints import Endpoint, Kind, kind_of
from switchyard_sandbox.gateway.handle import GatewayHandle, ensure_running
from switchyard_sandbox.gateway.tokens import Token
from switchyard_sandbox.gateway.usage import UsageRow

__all__ = ["Endpoint", "GatewayHandle", "Kind", "Token", "UsageRow", "ensure_running", "kind_of"]
