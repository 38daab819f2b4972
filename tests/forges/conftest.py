"""A GitHub of one's own for each test."""

from fakes.github.fixtures import github, github_service

__all__ = ["github", "github_service"]
