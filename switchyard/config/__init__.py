"""What people set in `switchyard.toml`, in `SWITCHYARD_*` and by flags, resolved once into one frozen value."""

from switchyard.config.gates import GatesConfig
from switchyard.config.load import CONFIG_NAME, load_config, parse_config
from switchyard.config.model import (
    AcpAgent,
    Agent,
    ClaudeAgent,
    CodexAgent,
    CommandAgent,
    Config,
    ContextConfig,
    ForgeConfig,
    GatewayEndpoint,
    LimitsConfig,
    RepositoryConfig,
    ReviewConfig,
    SandboxConfig,
    SandboxKind,
    StateConfig,
    TasksConfig,
    secret_variables,
)
from switchyard.config.roles import RolesConfig, agent_of
from switchyard.config.verification import VerifyConfig

__all__ = [
    "CONFIG_NAME",
    "AcpAgent",
    "Agent",
    "ClaudeAgent",
    "CodexAgent",
    "CommandAgent",
    "Config",
    "ContextConfig",
    "ForgeConfig",
    "GatesConfig",
    "GatewayEndpoint",
    "LimitsConfig",
    "RepositoryConfig",
    "ReviewConfig",
    "RolesConfig",
    "SandboxConfig",
    "SandboxKind",
    "StateConfig",
    "TasksConfig",
    "VerifyConfig",
    "agent_of",
    "load_config",
    "parse_config",
    "secret_variables",
]
