"""The embedded sandbox: bubblewrap, overlay, seccomp and cgroups, driven without a server."""
