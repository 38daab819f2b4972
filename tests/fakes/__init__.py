"""Ordinary programs that stand in for services which a test machine does not have."""
