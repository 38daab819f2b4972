"""GitHub on this machine: npm's `emulate` for the wire, real git for branches and merges, faults on demand."""
