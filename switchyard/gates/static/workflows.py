"""Files that something obeys without being asked: CI, agents, git and its hooks, editors, package managers."""

from __future__ import annotations

import unicodedata

from switchyard.gates.change import Change
from switchyard.gates.static.content import matching_paths
from switchyard.gates.static.rules import Rules
from switchyard.packets import GateFinding, GateResult

GATE = "workflows"
# A folder's name stands alone: a link of that name is obeyed as well.
_OBEYED = {
    "CI runs it": (
        "**/.github", "**/.gitlab-ci*", "**/.gitlab", "**/.circleci", "**/Jenkinsfile*", "**/azure-pipelines*",
        "**/.azure-pipelines", "**/.buildkite", "**/.travis.yml", "**/appveyor.yml", "**/.appveyor.yml",
        "**/bitbucket-pipelines.yml", "**/.drone.yml", "**/.woodpecker*", "**/.woodpecker", "**/.teamcity",
        "**/.cirrus.yml", "**/.semaphore", "**/cloudbuild.yaml", "**/cloudbuild.yml", "**/.tekton",
        "**/.forgejo", "**/.gitea", "**/buildspec.yml", "**/action.yml", "**/action.yaml", "**/renovate.json*",
    ),
    "agents obey it": (
        "**/AGENTS.md", "**/AGENT.md", "**/AGENTS.override.md", "**/CLAUDE.md", "**/CLAUDE.local.md", "**/GEMINI.md",
        "**/.mcp.json", "**/mcp.json", "**/.aider*", "**/.claude", "**/.claude.json", "**/.codex",
        "**/.cursor", "**/.cursorrules", "**/.gemini", "**/.windsurf", "**/.windsurfrules", "**/.clinerules*",
        "**/.continue", "**/.roo", "**/.roomodes", "**/.amazonq", "**/.junie", "**/.kiro",
        "**/.agents", "**/opencode.json", "**/.opencode", "**/copilot-instructions.md", "**/.agent",
        "**/.claude-plugin", "**/.trae", "**/.augment*", "**/.qwen", "**/QWEN.md", "**/WARP.md", "**/.goosehints",
        "**/.crush.json", "**/.rules",
    ),
    "git obeys it": (
        "**/.gitattributes", "**/.gitmodules", "**/.gitconfig", "**/.lfsconfig", "**/.githooks", "**/.husky",
        "**/.huskyrc*", "**/.pre-commit-config.y*ml", "**/.pre-commit-hooks.y*ml", "**/lefthook.y*ml",
        "**/.lefthook.y*ml", "**/.lefthook", "**/.lintstagedrc*", "**/lint-staged.config.*", "**/.overcommit.yml",
        "**/.git",
    ),
    "editors and shells obey it": (
        "**/.vscode", "**/.idea", "**/.devcontainer", "**/.devcontainer.json", "**/*.code-workspace",
        "**/.envrc", "**/.vimrc", "**/.exrc", "**/.nvim.lua", "**/.dir-locals.el", "**/.zed", "**/.fleet",
        "**/mise.toml", "**/.mise.toml", "**/.tool-versions", "**/.gitpod.yml",
    ),
    "package managers obey it": (
        "**/.npmrc", "**/.yarnrc*", "**/.yarn", "**/.pnpmfile.*", "**/bunfig.toml", "**/pip.conf", "**/.pypirc",
        "**/uv.toml", "**/.cargo", "**/.mvn", "**/gradle-wrapper.properties", "**/init.gradle*",
    ),
    "Python runs it at its start": ("**/sitecustomize.py", "**/usercustomize.py", "**/*.pth"),
    "it says who reviews": ("**/CODEOWNERS",),
    "the factory obeys it": ("/switchyard.toml", "/.switchyard"),
}  # fmt: skip


def find_obeyed(change: Change, rules: Rules) -> GateResult:
    """Which changed files are obeyed where they are checked out; any case counts, as some file systems know none."""
    paths = {_plain(file.path): file.path for file in change.files}
    findings = []
    for why, patterns in _OBEYED.items():
        for plain, _ in matching_paths(list(paths), patterns):
            asks = "note" if "protected" in rules.allow else "person"
            findings.append(GateFinding.model_validate({"title": why, "asks": asks, "path": paths[plain]}))
    if not findings:
        return GateResult.skipped(GATE, "no file of CI, agents, git, editors or package managers was changed")
    allowed = ", as `allow: [protected]` lets it" if "protected" in rules.allow else ""
    return GateResult.of(GATE, findings, f"{len(findings)} files that others obey were changed{allowed}")


def _plain(path: str) -> str:
    """As a file system takes it that folds compatible characters and drops what cannot be seen."""
    shown = unicodedata.normalize("NFKC", path)
    return "".join(char for char in shown if unicodedata.category(char) != "Cf")
