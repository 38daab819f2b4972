"""What holds hostile commands, one guard after the other: how to take it away, and which tests must then fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Edit:
    """A text of a source file and what stands there once the guard is gone."""

    file: str
    """Below the folder of packages that `Guard.package` lies in."""
    text: str
    instead: str


@dataclass(frozen=True)
class Guard:
    """One guard."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    """Below tests/; each must fail without the guard."""
    package: Literal["sandbox/switchyard_sandbox", "merge/switchyard_git", "switchyard"] = "sandbox/switchyard_sandbox"
    only: Literal["", "root", "user"] = ""
    """Who the guard is for, where the other has another."""


_E = "hostile/test_kernel.py::test_"
_F = "hostile/test_files.py::test_"
_N = "hostile/test_network.py::test_"
_R = "hostile/test_resources.py::test_"
_L = "hostile/test_lifetime.py::test_"


def _edit(file: str, text: str, instead: str) -> tuple[Edit, ...]:
    return (Edit(file, text, instead),)


_OWN_GATEWAY = Edit(
    "gateway/handle.py",
    '"-I", "-m", "switchyard_sandbox.gateway.process"',
    '"-c", "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); '
    "runpy.run_module('switchyard_sandbox.gateway.process', run_name='__main__')\", str(Path(__file__).parents[2])",
)
"""A gateway is started apart from any path of ours: this one runs from the copy."""


# Every one is harmless to the machine that the tests run on: what is written is what stood there, what is filled or
# forked is bounded, and no box ever runs as root.
GUARDS = (
    Guard(
        "the filter of system calls",
        _edit("embedded/confinement.py", '"--seccomp", str(SECCOMP_FD), ', ""),
        (f"{_E}h07_and_h11_the_dangerous_system_calls_answer_eperm[embedded]",
         f"{_E}h20_set_uid_copies_and_device_nodes_gain_nothing[embedded]"),
    ),
    Guard(
        "no namespace by clone",
        _edit("embedded/seccomp.py", "lines += _when_argument(_CLONE[column]", "_when_argument(_CLONE[column]"),
        (f"{_E}h07_no_new_namespace_by_clone_and_clone3_is_absent[embedded]",),
    ),
    Guard(
        "no clone3",
        _edit("embedded/seccomp.py", "lines += [_jump(_JUMP_EQ, _CLONE3[column], 0, 1)", "[_jump(_JUMP_EQ, 0, 0, 1)"),
        (f"{_E}h07_no_new_namespace_by_clone_and_clone3_is_absent[embedded]",),
    ),
    Guard(
        "plain sockets alone",
        _edit("embedded/seccomp.py", "lines += _only_when_argument(call[column]", "_only_when_argument(call[column]"),
        (f"{_E}h07_only_ordinary_families_of_sockets_can_be_made[embedded]",),
    ),
    Guard(
        "no typing into a terminal",
        _edit("embedded/seccomp.py", "lines += _when_argument(_IOCTL[column]", "_when_argument(_IOCTL[column]"),
        ("hostile/test_terminals.py::test_h30_there_is_no_terminal_of_the_hosts_to_type_into[embedded]",),
    ),
    Guard(
        "settings of the kernel read-only",
        _edit("embedded/confinement.py", '"irq", "sys", "sysrq-trigger")', '"irq", "sysrq-trigger")'),
        (f"{_E}h01_no_setting_of_the_kernel_can_be_written[embedded]",),
    ),
    Guard(
        "symbols and keys hidden",
        _edit("embedded/confinement.py", '"kallsyms", ', ""),
        (f"{_E}h01_what_tells_of_the_kernels_memory_is_hidden[embedded-kallsyms]",),
    ),
    Guard(
        "processes of its own",
        (
            Edit("embedded/confinement.py", '"--unshare-all"', '*("--unshare-user", "--unshare-uts", "--unshare-net")'),
            Edit("embedded/confinement.py", '"--proc", "/proc", *_hardened_proc()', '"--ro-bind", "/proc", "/proc"'),
        ),
        (f"{_E}h19_host_processes_are_neither_seen_nor_reached[embedded]",),
    ),
    Guard(
        "a network of its own",
        _edit("embedded/confinement.py", '"--unshare-all"', '*("--unshare-all", "--share-net")'),
        (f"{_N}h06_no_socket_of_the_host_is_reachable[embedded]",
         f"{_N}h15_no_connection_leaves_the_box[embedded-no network]",
         f"{_N}h16_names_cannot_be_resolved_and_datagrams_reach_nobody[embedded-no network]"),
    ),
    Guard(
        "a clean environment",
        (
            Edit("embedded/confinement.py", '"--chdir", cwd, "--clearenv")', '"--chdir", cwd)'),
            Edit("embedded/start.py", '"--", *command], {})', '"--", *command], dict(os.environ))'),
            Edit("launch.py", "list(argv), CLEAN_ENVIRONMENT, file", "list(argv), dict(os.environ), file"),
        ),
        (f"{_F}h12_no_secret_of_the_host_is_in_any_environment[embedded]",),
    ),
    Guard(
        "no inherited descriptor",
        _edit("spawner.py", "os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])", "pass"),
        (f"{_F}h13_only_the_standard_descriptors_are_open[embedded]",),
    ),
    Guard(
        "the system read-only",
        _edit("embedded/confinement.py", '*("--remount-ro", "/", "--chdir"', '*("--chdir"'),
        (f"{_F}h01_the_systems_files_cannot_be_written[embedded-/x]",),
        only="user",  # Started by root, a box does not own its root folder either.
    ),
    Guard(
        "the limit of processes, by a cgroup",
        _edit("embedded/cgroups.py", '"pids.max": str(limits.pids)', '"pids.max": "max"'),
        (f"{_R}h24_a_fork_bomb_is_held_and_reaped[embedded]",
         f"{_R}h24_processes_that_flee_their_parents_are_held_too[embedded]"),
        only="root",
    ),
    Guard(
        "the limit of processes, by the box's own user",
        _edit("embedded/limits.py", 'pids=0 if "pids" in by_group else limits.pids', "pids=0"),
        (f"{_R}h24_a_fork_bomb_is_held_and_reaped[embedded]",),
        only="user",
    ),
    Guard(
        "the limit of memory, by a cgroup",
        _edit("embedded/cgroups.py", "size = str(limits.memory_mb << 20)", "size = str(1 << 40)"),
        (f"{_R}h26_a_memory_hog_is_killed_inside_only[embedded]",
         f"{_R}h26_memory_that_belongs_to_no_process_is_held_too[embedded-memory files]"),
        only="root",
    ),
    Guard(
        "the limit of memory, by a watch",
        (
            Edit("embedded/limits.py", 'else limits.memory_mb << 20,', "else 0,"),
            Edit("embedded/limits.py", 'rlimits["RLIMIT_DATA"] = limits.memory_mb << 20', "pass"),
        ),
        (f"{_R}h26_a_memory_hog_is_killed_inside_only[embedded]",
         f"{_R}h26_memory_that_belongs_to_no_process_is_held_too[embedded-shared memory]"),
        only="user",
    ),
    Guard(
        "the limit of disk",
        (
            Edit("embedded/bounds.py", 'return "disk" if used > self._job.disk_bytes else ""', 'return ""'),
            Edit("embedded/bounds.py", '("disk" if self._used() > self._job.disk_bytes else "")', '""'),
        ),
        (f"{_R}h27_disk_tmpfs_shared_memory_and_inodes_have_a_quota[embedded-many files]",
         f"{_R}h27_disk_tmpfs_shared_memory_and_inodes_have_a_quota[embedded-inodes]"),
    ),
    Guard(
        "files without a name count",
        _edit("embedded/bounds.py", "return on_disk + sum(", "return sum("),
        (f"{_R}h27_files_without_a_name_count[embedded-open]",),
    ),
    Guard(
        "a cap on output",
        _edit("frames.py", "kept = data[: self._left[number]]", "kept = data"),
        (f"{_R}h28_endless_output_without_a_newline_is_capped_and_ends_at_the_timeout[embedded]",),
    ),
    Guard(
        "a share of the processors",
        _edit("embedded/cgroups.py", "int(limits.cpus * _PERIOD_US)", "int(64 * _PERIOD_US)"),
        (f"{_R}h38_a_busy_box_gets_its_share_of_the_processors_alone[embedded]",),
        only="root",
    ),
    Guard(
        "a box ends with its supervisor",
        _edit("embedded/confinement.py", '"--die-with-parent", ', ""),
        (f"{_L}h36_killing_the_supervisor_takes_the_whole_box_with_it",),
    ),
    Guard(
        "links are judged",
        _edit("surveying.py", "if escapes(path, self._all_links):", "if False:"),
        (f"{_F}h08_links_to_the_host_are_findings_and_what_they_lead_to_stays_out[embedded]",),
    ),
    Guard(
        "links are not followed",
        _edit("surveying.py", "elif stat.S_ISLNK(status.st_mode):", "elif False:"),
        (f"{_F}h08_a_folder_swapped_for_a_link_between_two_extractions_is_not_followed[embedded]",),
    ),
    Guard(
        "special files are findings",
        _edit("surveying.py", "elif stat.S_ISREG(status.st_mode):", "elif True:"),
        (f"{_F}h33_special_files_do_not_hold_anything_up[embedded]",),
    ),
    Guard(
        "a cap on a file",
        _edit("surveying.py", "CAP_BYTES = 100 << 20", "CAP_BYTES = 100 << 30"),
        (f"{_F}h34_bombs_and_names_that_some_system_takes_for_git_meet_a_cap[embedded]",),
    ),
    Guard(
        "names taken for git",
        _edit("names.py", '_GIT = (".git", "git~1")', "_GIT = ()"),
        (f"{_F}h34_bombs_and_names_that_some_system_takes_for_git_meet_a_cap[embedded]",
         "sandbox/test_extract.py::TestRefused::test_nested_repositories_are_findings_and_their_files_come_out[embedded]"),
    ),
    Guard(
        "names that forge a listing",
        _edit("names.py", "return _CONTROL.search(name) is not None", "return False"),
        (f"{_F}h31_names_that_forge_a_listing_are_findings[embedded-direction]",),
    ),
    Guard(
        "no way out of the inbox",
        _edit("inbox.py", 'part in ("", ".", "..")', 'part in ("", ".")'),
        (f"{_F}h10_what_is_put_into_a_box_lands_in_its_inbox_alone[embedded]",),
    ),
    Guard(
        "inner addresses are refused",
        _edit("egress.py", "if name in self._internal or not _is_private(address):", "if True:"),
        (f"{_N}h15_services_of_a_cloud_to_its_machines_are_refused[168.63.129.16]",
         "sandbox/test_egress.py::test_h17_a_name_with_an_inner_address_beside_an_outer_one_never_leads_inside"),
    ),
    Guard(
        "names are plain",
        _edit("egress.py", "if not _NAME.fullmatch(name):", "if False:"),
        ("sandbox/test_egress.py::test_what_is_no_plain_name_is_refused[evil\\x00.ok.com]",),
    ),
    Guard(
        "a tunnel is to the name that was asked for",
        _edit("egress.py", 'if told.lower().rstrip(".") != name:', "if False:"),
        ("sandbox/test_egress.py::test_h17_a_tunnel_to_another_name_carries_nothing",),
    ),
    Guard(
        "one reading of a request",
        _edit("egress.py", "if not _FIRST_LINE.fullmatch(lines[0]):", "if False:"),
        (f"{_N}h17_no_request_confuses_the_proxy[embedded]",),
    ),
    Guard(
        "no key in an answer's headers",
        (_OWN_GATEWAY, Edit("gateway/requests.py", "value.replace(key, blot)", "value")),
        (f"{_N}h18_an_answers_headers_do_not_repeat_the_key[embedded]",),
    ),
    Guard(
        "a token opens its own endpoints",
        (_OWN_GATEWAY, Edit("gateway/serving.py", " or target.name not in token.endpoints:", ":")),
        ("sandbox/test_gateway.py::test_h18_a_token_opens_its_own_endpoints_alone",),
    ),
    Guard(
        "hooks do not run",
        _edit("process.py", '"core.hooksPath=/dev/null"', '"core.abbrev=40"'),
        ("git/test_clean_room.py::test_hooks_of_a_repository_do_not_fire",),
        package="merge/switchyard_git",
    ),
    Guard(
        "no monitor of the file system",
        _edit("process.py", '"core.fsmonitor=false"', '"core.abbrev=40"'),
        ("git/test_clean_room.py::test_a_file_system_monitor_of_a_repository_does_not_fire",),
        package="merge/switchyard_git",
    ),
    Guard(
        "no program named in a URL",
        _edit("process.py", '"protocol.ext.allow=never"', '"protocol.ext.allow=always"'),
        ("git/test_clean_room.py::test_a_helper_program_named_in_a_url_is_refused",),
        package="merge/switchyard_git",
    ),
    Guard(
        "output made safe for a terminal",
        _edit("cli/passing.py", "if stream.isatty():", "if False:"),
        ("hostile/test_terminals.py::test_h31_what_a_command_says_on_a_persons_terminal_moves_nothing",),
        package="switchyard",
    ),
    Guard(
        "Docker's filter of system calls",
        _edit("docker/container.py", 'f"seccomp={profile()}"', '"seccomp=unconfined"'),
        (f"{_E}h07_and_h11_the_dangerous_system_calls_answer_eperm[docker]",
         f"{_E}h07_only_ordinary_families_of_sockets_can_be_made[docker]"),
    ),
    Guard(
        "Docker's own network",
        _edit("docker/container.py", 'network_mode="none"', 'network_mode="host"'),
        (f"{_N}h06_no_socket_of_the_host_is_reachable[docker]",),
    ),
)  # fmt: skip

NOT_TAKEN_AWAY = {
    "the drop to an unprivileged uid": "a box that runs as root could change the machine that the tests run on; "
    "test_h20_no_process_of_a_box_is_root_outside looks at the uid instead",
    "no new privileges, no capability": "bubblewrap does both by itself for whoever is no root",
    "tmpfs sizes, the limit on each file": "what would overflow meets the limit of memory or of disk first",
}
"""Guards without a mutation, and why."""
