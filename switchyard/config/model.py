"""The shape of `switchyard.toml`: every table and key, its default, and what it means."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from switchyard.config.environments import EnvironmentConfig, EnvironmentName, check_environments
from switchyard.config.evidence import EvidenceConfig
from switchyard.config.gates import GatesConfig
from switchyard.config.notification import NotifyConfig
from switchyard.config.roles import RolesConfig, check_roles
from switchyard.config.table import (
    EndpointName,
    Host,
    Minutes,
    Said,
    Table,
    TurnMinutes,
    Value,
    Variable,
    check_branch,
    check_inside,
    check_variable,
)
from switchyard.config.verification import VerifyConfig
from switchyard.errors import UsageError, did_you_mean

SandboxKind = Literal["embedded", "docker", "daytona", "none"]
WITH_IMAGE = ("docker", "daytona")
"""The kinds that make sandboxes from an image, and whose sandboxes can fetch code by themselves."""
WITH_WORKSPACE = ("embedded", "docker")
"""The kinds whose files can lie elsewhere than on disk."""


class RepositoryConfig(Table):
    """`[repository]`: where work starts from and where branches go."""

    remote: str = "origin"
    """The remote to fetch from and push to; where the repository has none, the local base is used. "" means none."""
    base: Annotated[str, AfterValidator(check_branch)] = "main"
    """The branch that every stack starts from."""


class TasksConfig(Table):
    """`[tasks]`: where tasks are kept."""

    path: Annotated[str, AfterValidator(check_inside)] = ".switchyard/tasks"
    """The folder of Markdown task files, inside the repository."""
    source: Literal["files", "github"] = "files"
    """Whether tasks are files or issues on the forge."""
    most_findings: Annotated[int, Field(ge=0)] = 20
    """How many findings of agents one run files as drafts; more stand in the ledger alone."""


class CommandAgent(Table):
    """An agent that is any program."""

    kind: Literal["command"] = "command"
    """What drives the agent."""
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """Program and arguments; {task_id} {attempt} {prompt_file} {workdir} {context_file} are filled in."""
    model: str = ""
    """Told to the program in its environment; "" leaves it to the program."""
    turn_minutes: TurnMinutes = None
    """The time of its one turn; None: as long as the attempt."""


class CodexAgent(Table):
    """The Codex command line."""

    kind: Literal["codex"]
    """What drives the agent."""
    command: tuple[str, ...] = ()
    """Replaces the program and its first arguments; empty: as installed."""
    model: str = ""
    """The model to ask for; "" leaves it to the program."""
    mcp: bool = False
    """Whether it gets `context` and `discovered` as tools; needs the extra `mcp`."""
    turn_minutes: TurnMinutes = None
    """The time of one turn; None: as long as the attempt."""


class ClaudeAgent(Table):
    """The Claude Code command line."""

    kind: Literal["claude"]
    """What drives the agent."""
    command: tuple[str, ...] = ()
    """Replaces the program and its first arguments; empty: as installed."""
    model: str = ""
    """The model to ask for; "" leaves it to the program."""
    mcp: bool = False
    """Whether it gets `context` and `discovered` as tools; needs the extra `mcp`."""
    turn_minutes: TurnMinutes = None
    """The time of one turn; None: as long as the attempt."""


class AcpAgent(Table):
    """Any program that speaks the Agent Client Protocol on its standard streams."""

    kind: Literal["acp"]
    """What drives the agent."""
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """Program and arguments."""
    model: str = ""
    """The model to ask for; "" leaves it to the program."""
    turn_minutes: TurnMinutes = None
    """The time of one turn; None: as long as the attempt."""


Agent = Annotated[CommandAgent | CodexAgent | ClaudeAgent | AcpAgent, Field(discriminator="kind")]


class GatewayEndpoint(Table):
    """One entry of `[gateway]`: a model endpoint that the host adds a key for."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")]
    """Where requests go: what clients would have as their base address."""
    kind: Literal["", "anthropic", "openai", "gemini", "bearer"] = ""
    """What it speaks; "" goes by the entry's name, and any other name is a server that takes a bearer key."""
    key_env: Variable
    """The host's environment variable that holds the key; the key itself is never written down."""


class SandboxConfig(Table):
    """`[sandbox]`: where agents and checks run, and with how much."""

    kind: SandboxKind = "embedded"
    """The driver; none also needs --i-accept-no-isolation."""
    setup: tuple[Said, ...] = ()
    """Shell commands that install what checks need; run once per base and lock files, their result kept as a layer."""
    setup_network: tuple[Host, ...] = ()
    """Host names open during set-up only."""
    env: dict[Variable, Value] = Field(default_factory=dict)
    """Variables added to the sandbox; never secrets."""
    image: str = ""
    """docker and daytona: the image; "" means the one that comes with Switchyard. The other kinds need none."""
    workspace: Literal["disk", "memory", "copy"] = "disk"
    """embedded: where commands write: the disk, a sized piece of memory, or a full copy where overlays fail."""
    code: Literal["host", "remote"] = "host"
    """docker and daytona: whether the host brings the code, or the sandbox fetches it from a public remote."""
    sparse: bool = False
    """Whether an agent's sandbox holds the files of its context alone; checks get all."""
    network: tuple[Host, ...] = ()
    """Host names open while the agent works; empty: no network."""
    cpus: Annotated[float, Field(gt=0)] = 2
    """Processor cores."""
    memory_mb: Annotated[int, Field(ge=64)] = 2048
    """Memory in MiB; more is killed."""
    pids: Annotated[int, Field(ge=16)] = 512
    """Processes and threads."""
    disk_mb: Annotated[int, Field(ge=16)] = 2048
    """What may be written, in MiB."""
    timeout_minutes: Minutes = 30
    """The whole time of one attempt."""
    stall_minutes: Minutes = 5
    """The time without output or processor use after which an attempt counts as stuck."""
    allow_degraded: bool = False
    """Run although this machine cannot enforce a limit; `switchyard sandbox probe` names it."""

    @field_validator("workspace")
    @classmethod
    def _check_workspace(cls, workspace: str, known: ValidationInfo) -> str:
        kind = known.data.get("kind")
        if workspace != "disk" and kind not in (*WITH_WORKSPACE, None):
            raise ValueError(f'"{workspace}" is for the kinds {" and ".join(WITH_WORKSPACE)}, and this one is "{kind}"')
        return workspace

    @field_validator("code")
    @classmethod
    def _check_code(cls, code: str, known: ValidationInfo) -> str:
        kind = known.data.get("kind")
        if code == "remote" and kind not in (*WITH_IMAGE, None):
            raise ValueError(f'"remote" is for the kinds {" and ".join(WITH_IMAGE)}, and this one is "{kind}"')
        return code


class ContextConfig(Table):
    """`[context]`: what an agent is given to read."""

    budget_tokens: Annotated[int, Field(gt=0)] = 16000
    """The bound on a task's context, in tokens."""
    include: tuple[Said, ...] = ()
    """Only source files that one of these patterns names are looked at, as in `.gitignore`; empty: all are."""
    exclude: tuple[Said, ...] = ()
    """Files that are left out of graph and context, included or not."""


class LimitsConfig(Table):
    """`[limits]`: what one run may use."""

    concurrency: Annotated[int, Field(ge=1)] = 4
    """Tasks at a time."""
    repairs: Annotated[int, Field(ge=0, le=10)] = 3
    """Attempts after the first, each with the failure as context."""
    open_pull_requests: Annotated[int, Field(ge=1)] = 20
    """Unreviewed pull requests above which nothing new is picked up."""
    minutes: Minutes | None = None
    """A whole run's time; None: no limit."""
    tokens: Annotated[int, Field(gt=0)] | None = None
    """A whole run's model tokens; None: no limit."""
    usd: Annotated[float, Field(gt=0)] | None = None
    """A whole run's cost in US dollars; None: no limit."""


class ReviewConfig(Table):
    """`[review]`: what a person must see."""

    protected: tuple[Said, ...] = (".github/**", "**/CODEOWNERS", "switchyard.toml")
    """Paths refused unless the task allows `protected`."""
    escalate_paths: tuple[Said, ...] = ("**/auth/**", "**/payments/**", "**/migrations/**")
    """Paths whose change waits for a person."""
    escalate_content: tuple[Said, ...] = ("DELETE FROM", "DROP TABLE")
    """Added text that makes a change wait for a person."""
    auto_merge: bool = False
    """Land what is approved and green without being asked."""


class LandingConfig(Table):
    """`[landing]`: when and how `switchyard stack land` merges."""

    method: Literal["squash", "rebase", "merge"] = "squash"
    """What a merged pull request becomes on the base: one commit, its own commits anew, or a merge commit."""
    batch: Annotated[int, Field(ge=1)] = 1
    """How many pull requests are checked together before the first of them lands."""
    needs_approval: bool = True
    """Whether somebody must have approved; who requested changes keeps it from landing in any case."""
    required_checks: tuple[Said, ...] = ()
    """The forge's checks that must have passed; one of any other name must only not be red or running."""
    reds: Annotated[int, Field(ge=1)] = 2
    """Red runs of one tree that it takes to believe them; fewer are a flake."""
    deletes_branches: bool = True
    """Whether the factory's branches are deleted once they have landed."""


class ForgeConfig(Table):
    """`[forge]`: where people review."""

    kind: Literal["local", "github"] = "local"
    """The driver; local keeps pull requests beside the state."""
    repository: Annotated[str, StringConstraints(pattern=r"^$|^[\w.-]+/[\w.-]+$")] = ""
    """github: owner/name; "" means as the remote's URL says."""
    base_url: Annotated[str, StringConstraints(pattern=r"^$|^https?://[^/?#@]+(/[^?#]*)?$")] = ""
    """github: the API's address, as `https://HOST/api/v3` of an Enterprise server; "" means github.com."""
    native_stacks: bool = False
    """github: use GitHub's own stacks where the repository has them (a public preview)."""
    app_id: Annotated[int, Field(gt=0)] | None = None
    """github: the App that works, unless GITHUB_TOKEN is set; None: a person's token."""
    installation_id: Annotated[int, Field(gt=0)] | None = None
    """github: the App's installation; None: the one on the repository is looked up."""
    private_key_env: Annotated[str, AfterValidator(lambda name: name and check_variable(name))] = ""
    """github: the host's environment variable that holds the App's private key, in PEM."""
    private_key_file: str = ""
    """github: or the file that holds it, absolute or from `~`."""

    @field_validator("private_key_file")
    @classmethod
    def _check_key_file(cls, path: str) -> str:
        if path and not path.startswith(("/", "~/")):
            raise ValueError(f"'{path}' must be absolute or begin with '~/': a key is no part of a repository")
        return path

    @model_validator(mode="after")
    def _check_app(self) -> Self:
        keys = [key for key in (self.private_key_env, self.private_key_file) if key]
        if self.app_id is not None and len(keys) != 1:
            raise ValueError("app_id needs one of private_key_env and private_key_file")
        if self.app_id is None and (keys or self.installation_id is not None):
            raise ValueError("private_key_env, private_key_file and installation_id need app_id")
        return self


class StateConfig(Table):
    """`[state]`: where the factory keeps what it knows."""

    database: str = ""
    """"" means SQLite in the state folder; postgresql://… serves many machines."""
    artifacts: str = ""
    """"" means beside the database; any fsspec URL serves many machines."""


class Config(Table):
    """The whole of switchyard.toml."""

    repository: RepositoryConfig = RepositoryConfig()
    """Where work starts from and where branches go."""
    tasks: TasksConfig = TasksConfig()
    """Where tasks are kept."""
    agent: Agent | None = None
    """`[agent]`, the default agent; None where the file has none."""
    agents: dict[str, Agent] = Field(default_factory=dict)
    """The `[agent.NAME]` tables, by name."""
    gateway: dict[EndpointName, GatewayEndpoint] = Field(default_factory=dict)
    """Model endpoints that the host adds a key for, by name."""
    roles: RolesConfig = RolesConfig()
    """Which agents look at a task before one builds it."""
    sandbox: SandboxConfig = SandboxConfig()
    """Where agents and checks run."""
    checks: dict[str, Said] = Field(default_factory=dict)
    """Shell commands by name; run after the agent in a fresh sandbox; all must pass."""
    environments: dict[EnvironmentName, EnvironmentConfig] = Field(default_factory=dict)
    """Other surroundings in which checks run as well, by name."""
    context: ContextConfig = ContextConfig()
    """What an agent is given to read."""
    limits: LimitsConfig = LimitsConfig()
    """What one run may use."""
    review: ReviewConfig = ReviewConfig()
    """What a person must see."""
    gates: GatesConfig = GatesConfig()
    """What the gates measure against."""
    verify: VerifyConfig = VerifyConfig()
    """Agents that review a change blindly."""
    landing: LandingConfig = LandingConfig()
    """When and how `stack land` merges."""
    evidence: EvidenceConfig = EvidenceConfig()
    """How what the factory claims is signed."""
    forge: ForgeConfig = ForgeConfig()
    """Where people review."""
    notify: NotifyConfig = NotifyConfig()
    """Who is told that a person is needed, and that a run has ended."""
    state: StateConfig = StateConfig()
    """Where the factory keeps what it knows."""

    @field_validator("roles")
    @classmethod
    def _check_roles(cls, roles: RolesConfig, known: ValidationInfo) -> RolesConfig:
        if "agent" in known.data and "agents" in known.data:
            check_roles(roles, known.data["agents"], has_default=known.data["agent"] is not None)
        return roles

    @field_validator("verify")
    @classmethod
    def _check_reviewers(cls, verify: VerifyConfig, known: ValidationInfo) -> VerifyConfig:
        agents = known.data.get("agents")
        for key, name in verify.named.items():
            if name and agents is not None and name not in agents:
                raise ValueError(f"{key}: no agent '{name}'{did_you_mean(name, agents)}")
        return verify

    @field_validator("environments")
    @classmethod
    def _check_environments(
        cls, environments: dict[EnvironmentName, EnvironmentConfig], known: ValidationInfo
    ) -> dict[EnvironmentName, EnvironmentConfig]:
        if "checks" in known.data and "sandbox" in known.data:
            check_environments(environments, known.data["checks"], known.data["sandbox"].kind)
        return environments

    def agent_named(self, name: str = "") -> Agent:
        """The agent of that `[agent.NAME]` table, or the default for "".

        Raises:
            UsageError: There is no such agent, or no default.
        """
        if not name:
            if self.agent is None:
                raise UsageError("no agent is configured", hint="add an [agent] table to switchyard.toml")
            return self.agent
        if name not in self.agents:
            raise UsageError(
                f"no agent '{name}'{did_you_mean(name, self.agents)}", hint=f"add [agent.{name}] to switchyard.toml"
            )
        return self.agents[name]


def secret_variables(config: Config) -> frozenset[str]:
    """The host's variables that hold secrets, as far as the configuration tells, and those that GitHub's tools read."""
    named = (table.key_env for table in config.gateway.values())
    own = (
        config.forge.private_key_env,
        config.notify.webhook_env,
        config.evidence.signing_key_env,
        "GITHUB_TOKEN",
        "GH_TOKEN",
    )
    return frozenset(name for name in (*named, *own) if name)
