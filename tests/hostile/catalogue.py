"""The catalogue of hostile cases H01 to H38: what is tried, what holds it, and the tests that show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One case."""

    attempt: str
    held_by: str
    tests: tuple[str, ...]
    """Below tests/, without parameters; a test here runs over every isolating driver unless it is about common code."""


_KERNEL, _FILES, _NETWORK = (
    "hostile/test_kernel.py::test_",
    "hostile/test_files.py::test_",
    "hostile/test_network.py::test_",
)
_RESOURCES, _LIFETIME = "hostile/test_resources.py::test_", "hostile/test_lifetime.py::test_"
_TERMINALS, _EXTRACT = "hostile/test_terminals.py::test_", "sandbox/test_extract.py::"
_REFUSED, _ATTRIBUTES = f"{_EXTRACT}TestRefused::test_", f"{_EXTRACT}TestAttributesAndIgnores::test_"
_EGRESS, _GATEWAY = "sandbox/test_egress.py::test_", "sandbox/test_gateway.py::test_"
_CLEAN, _POLICY = "git/test_clean_room.py::test_", "gates/test_policy.py::test_"
_BODY, _AGENTS = "merge/test_body.py::test_", "end_to_end/test_surroundings.py::test_"

CASES = {
    "H01": Case(
        "write core_pattern, sysrq, /sys, any setting of the kernel",
        "an unprivileged uid, no capability, /proc/sys read-only, no /sys",
        (f"{_KERNEL}h01_the_kernels_files_cannot_be_opened_for_writing",
         f"{_KERNEL}h01_no_setting_of_the_kernel_can_be_written",
         f"{_KERNEL}h01_what_tells_of_the_kernels_memory_is_hidden",
         f"{_FILES}h01_the_systems_files_cannot_be_written"),
    ),
    "H02": Case(
        "core.fsmonitor, include.path, gitfile redirect",
        "no git of the host in the box's tree; git's own settings fixed by the factory",
        (f"{_REFUSED}nothing_that_the_box_configured_runs_on_the_host",
         "hostile/test_repositories.py::test_h02_nothing_that_a_box_does_to_its_git_hides_a_change",
         f"{_CLEAN}a_file_system_monitor_of_a_repository_does_not_fire",
         f"{_CLEAN}an_inherited_git_dir_does_not_redirect"),
    ),
    "H03": Case(
        "core.hooksPath, planted hooks",
        "the same",
        (f"{_REFUSED}nothing_that_the_box_configured_runs_on_the_host",
         f"{_CLEAN}hooks_of_a_repository_do_not_fire",
         f"{_AGENTS}attributes_hooks_links_modes_and_odd_names_come_out_as_the_agent_left_them"),
    ),
    "H04": Case(
        "clean and smudge filters, textconv, diff.external, pager, sshCommand",
        "blobs are written without filters; attributes are the commit's own; a filtered file is a finding",
        (f"{_REFUSED}nothing_that_the_box_configured_runs_on_the_host",
         "hostile/test_repositories.py::test_h04_attributes_in_any_folder_run_nothing",
         f"{_ATTRIBUTES}what_the_box_writes_into_attributes_does_not_apply",
         f"{_ATTRIBUTES}a_file_behind_a_filter_is_refused_and_stays_as_it_was",
         f"{_CLEAN}an_external_diff_or_text_conversion_does_not_run",
         f"{_CLEAN}an_untrusted_repository_that_would_run_something_is_refused"),
    ),
    "H05": Case(
        "nested repositories, bare ones too",
        "safe.bareRepository=explicit; nested .git is a finding",
        (f"{_REFUSED}nested_repositories_are_findings_and_their_files_come_out",
         "hostile/test_repositories.py::test_h05_a_bare_repository_among_the_files_is_not_entered"),
    ),
    "H06": Case(
        "docker.sock, abstract sockets",
        "a network and a mount namespace of its own; no socket of the host is mounted",
        (f"{_NETWORK}h06_no_socket_of_the_host_is_reachable",),
    ),
    "H07": Case(
        "mount, unshare, setns, odd sockets",
        "seccomp",
        (f"{_KERNEL}h07_and_h11_the_dangerous_system_calls_answer_eperm",
         f"{_KERNEL}h07_no_new_namespace_by_clone_and_clone3_is_absent",
         f"{_KERNEL}h07_only_ordinary_families_of_sockets_can_be_made"),
    ),
    "H08": Case(
        "a symbolic link to a file of the host, when the result is taken out",
        "a walk by descriptors that follows nothing; links that lead out are findings",
        (f"{_FILES}h08_links_to_the_host_are_findings_and_what_they_lead_to_stays_out",
         f"{_FILES}h08_a_folder_swapped_for_a_link_between_two_extractions_is_not_followed",
         f"{_REFUSED}links_that_lead_out_are_findings_and_never_followed",
         f"{_EXTRACT}test_a_link_that_is_let_through_never_leaves_the_tree"),
    ),
    "H09": Case(
        "a link swapped during extraction",
        "extraction and commands exclude one another",
        (f"{_FILES}h09_a_tree_that_is_swapped_meanwhile_gives_nothing_of_the_host",),
    ),
    "H10": Case(
        "names with `..`, absolute ones, hard links, in what is packed or put",
        "no archive of a box is unpacked by name on the host; `put` refuses such names",
        (f"{_FILES}h10_what_is_put_into_a_box_lands_in_its_inbox_alone",
         f"{_FILES}h21_the_shared_checkout_and_the_mirror_stay_as_they_are",
         "git/test_objects.py::test_a_path_that_leaves_the_tree_is_refused"),
    ),
    "H11": Case(
        "ptrace, io_uring, bpf, perf, userfaultfd, keyrings",
        "seccomp",
        (f"{_KERNEL}h07_and_h11_the_dangerous_system_calls_answer_eperm",
         f"{_KERNEL}h11_the_filter_cannot_be_got_around_by_another_calling_convention"),
    ),
    "H12": Case(
        "secrets in the environment and in /proc/*/environ",
        "every process of a box starts from an empty environment",
        (f"{_FILES}h12_no_secret_of_the_host_is_in_any_environment",
         "sandbox/test_gateway_boxes.py::test_a_command_gets_a_streamed_answer_and_holds_no_key"),
    ),
    "H13": Case(
        "leaked descriptors",
        "all but the standard three are closed before a box starts",
        (f"{_FILES}h13_only_the_standard_descriptors_are_open",),
    ),
    "H14": Case(
        "read the host's home, another task",
        "a mount namespace with nothing in it but what is needed",
        (f"{_FILES}h14_the_hosts_homes_and_other_boxes_are_absent",),
    ),
    "H15": Case(
        "TCP to the host's loopback, 169.254.169.254, IPv6 forms",
        "a network namespace of its own; the proxy refuses inner addresses",
        (f"{_NETWORK}h15_no_connection_leaves_the_box",
         f"{_NETWORK}h15_services_of_a_cloud_to_its_machines_are_refused",
         f"{_EGRESS}h15_a_public_name_at_an_inner_address_is_refused_in_every_form"),
    ),
    "H16": Case(
        "leak by DNS, UDP, ICMP",
        "the same; names are resolved by the proxy alone",
        (f"{_NETWORK}h16_names_cannot_be_resolved_and_datagrams_reach_nobody",
         f"{_NETWORK}h16_no_raw_or_packet_socket_and_no_ping",
         f"{_NETWORK}h16_the_network_cannot_be_changed"),
    ),
    "H17": Case(
        "confuse the proxy: NUL in names, IP literals, rebinding, Host that is not CONNECT's, smuggling",
        "one normal form of a name, resolved once; CONNECT, Host and SNI must agree; each decision is written down",
        (f"{_NETWORK}h17_no_request_confuses_the_proxy",
         f"{_NETWORK}h17_other_spellings_of_an_allowed_name_are_that_name",
         f"{_NETWORK}h17_a_first_line_holds_no_control_character",
         f"{_EGRESS}h17_a_name_that_is_rebound_is_dialled_where_it_was_judged",
         f"{_EGRESS}h17_a_tunnel_to_another_name_carries_nothing",
         f"{_EGRESS}h17_a_second_plain_request_on_a_connection_goes_nowhere",
         f"{_EGRESS}requests_that_say_two_things_or_nothing_are_refused"),
    ),
    "H18": Case(
        "have the key sent elsewhere, or told",
        "the gateway adds each key for its own endpoint, on one reading of the path, and blots it out of answers",
        (f"{_NETWORK}h18_an_answers_headers_do_not_repeat_the_key",
         f"{_GATEWAY}h18_a_path_of_two_meanings_goes_nowhere",
         f"{_GATEWAY}h18_the_host_header_decides_nothing",
         f"{_GATEWAY}h18_a_token_opens_its_own_endpoints_alone",
         f"{_GATEWAY}a_redirect_is_not_followed",
         f"{_GATEWAY}an_answer_that_repeats_the_key_is_blotted"),
    ),
    "H19": Case(
        "see or kill processes of the host",
        "a process namespace of its own",
        (f"{_KERNEL}h19_host_processes_are_neither_seen_nor_reached",
         f"{_KERNEL}h19_a_signal_to_everybody_reaches_the_box_alone"),
    ),
    "H20": Case(
        "set-uid copies, device nodes",
        "no new privileges, no capability, mounts without set-uid and devices",
        (f"{_KERNEL}h20_set_uid_copies_and_device_nodes_gain_nothing",
         f"{_KERNEL}h20_no_process_of_a_box_is_root_outside",
         f"{_EXTRACT}test_an_extracted_copy_never_keeps_a_special_mode"),
    ),
    "H21": Case(
        "edit the shared checkout or the mirror",
        "an overlay or a copy over the one, the other mounted read-only",
        (f"{_FILES}h21_the_shared_checkout_and_the_mirror_stay_as_they_are",),
    ),
    "H22": Case(
        "workflows, CODEOWNERS, .gitmodules, .gitattributes, agents' configuration",
        "the gate: a person decides",
        (f"{_POLICY}a_protected_path_needs_a_person_though_all_checks_pass",
         f"{_POLICY}what_git_and_agents_obey_elsewhere_needs_a_person_whatever_is_configured",
         f"{_POLICY}a_protected_path_needs_a_person_at_once_though_repairs_are_left",
         f"{_REFUSED}a_linked_gitmodules_is_a_finding"),
    ),
    "H23": Case(
        "delete or loosen tests, checks, CI",
        "the gates: tests that ask less need a person; the base's own tests and their configuration are put back and "
        "run on the change; the checks themselves are protected",
        ("workflow/test_restoring.py::test_what_the_base_tests_with_is_put_back_edited_or_deleted",
         "workflow/test_restoring.py::test_what_the_base_lacks_is_left_out",
         "gates/test_test_files.py::test_test_files_are_known_in_every_language",
         "gates/test_checks.py::test_a_task_cannot_replace_a_check_of_the_repository"),
    ),
    "H24": Case(
        "a fork bomb",
        "a limit of processes; the process namespace ends with its first process",
        (f"{_RESOURCES}h24_a_fork_bomb_is_held_and_reaped",
         f"{_RESOURCES}h24_processes_that_flee_their_parents_are_held_too",
         f"{_RESOURCES}h24_a_box_lives_on_after_a_fork_bomb",
         f"{_LIFETIME}h24_no_control_group_is_left_behind"),
    ),
    "H25": Case(
        "a daemon outlives the task",
        "the same",
        (f"{_LIFETIME}h25_a_daemon_does_not_outlive_its_command",
         f"{_LIFETIME}h25_a_daemon_does_not_keep_its_commands_end_from_being_told",
         f"{_LIFETIME}h25_games_with_the_boxs_first_process_end_nothing_but_the_box"),
    ),
    "H26": Case(
        "take all memory",
        "a limit of memory, over files in memory too",
        (f"{_RESOURCES}h26_a_memory_hog_is_killed_inside_only",
         f"{_RESOURCES}h26_memory_spread_over_processes_is_held_too",
         f"{_RESOURCES}h26_memory_that_belongs_to_no_process_is_held_too",
         f"{_RESOURCES}h26_files_in_memory_end_the_command_and_never_count_as_a_failed_start"),
    ),
    "H27": Case(
        "fill disk, tmpfs, shared memory, inodes",
        "sized file systems, a limit on each file, a watch over the rest and over files without a name",
        (f"{_RESOURCES}h27_disk_tmpfs_shared_memory_and_inodes_have_a_quota",
         f"{_RESOURCES}h27_what_lies_in_a_folder_that_nobody_may_list_counts",
         f"{_RESOURCES}h27_files_without_a_name_count"),
    ),
    "H28": Case(
        "gigabytes of output, no newline, SIGTERM ignored",
        "a cap, SIGKILL, output that never lies in memory",
        (f"{_RESOURCES}h28_endless_output_without_a_newline_is_capped_and_ends_at_the_timeout",
         f"{_RESOURCES}h28_output_nobody_keeps_takes_no_memory",
         f"{_RESOURCES}h28_closing_output_and_going_on_hides_nothing"),
    ),
    "H29": Case(
        "a silent hang",
        "timers for silence and for all, and the box's own time to live",
        (f"{_LIFETIME}h29_a_silent_hang_ends_with_nothing_left",
         f"{_LIFETIME}h29_waiting_for_input_ends_at_once",
         f"{_LIFETIME}h29_a_box_that_removes_all_it_can_ends_in_time_and_is_removed",
         f"{_LIFETIME}h29_a_box_past_its_time_ends_without_anybody"),
    ),
    "H30": Case(
        "type into a terminal (TIOCSTI)",
        "a session of its own without the host's terminal; seccomp",
        (f"{_TERMINALS}h30_there_is_no_terminal_of_the_hosts_to_type_into",
         f"{_TERMINALS}h30_a_terminal_of_its_own_cannot_be_typed_into_either"),
    ),
    "H31": Case(
        "ANSI, OSC 52, carriage returns, bidirectional marks in what people read",
        "escaped in every view; such names are findings",
        (f"{_TERMINALS}h31_what_a_command_says_on_a_persons_terminal_moves_nothing",
         f"{_TERMINALS}h31_a_program_gets_a_commands_bytes_as_they_are",
         f"{_FILES}h31_names_that_forge_a_listing_are_findings",
         "cli/test_ledger.py::test_tail_lets_nothing_through_that_moves_the_cursor",
         f"{_BODY}foreign_text_cannot_hide_what_follows",
         f"{_AGENTS}what_an_agent_does_to_its_box_ends_with_a_verdict_and_nothing_else"),
    ),
    "H32": Case(
        "branches and paths such as `-x`, `..`, newlines, `@{`",
        "git's own rule for names, `--` before paths, names read NUL by NUL",
        (f"{_FILES}h32_names_that_look_like_options_or_revisions_come_out_as_files",
         "git/test_repository.py::test_the_rule_for_names_is_gits",
         "git/test_transport.py::test_an_address_that_could_be_an_option_is_refused",
         "tasks/test_parse.py::test_an_id_that_cannot_be_a_branch_name_is_refused",
         "merge/test_publish.py::test_any_id_gives_a_branch_that_can_be_pushed_and_is_its_own"),
    ),
    "H33": Case(
        "a pipe, socket or device in the tree",
        "only plain files are opened, and none for waiting",
        (f"{_FILES}h33_special_files_do_not_hold_anything_up",
         f"{_REFUSED}fifos_and_sockets_are_findings_and_nobody_waits_for_them"),
    ),
    "H34": Case(
        "`.GIT`, `git~1`, huge files, bombs",
        "names as every file system reads them; caps on each file, and on the holes of all; nothing is unpacked",
        (f"{_FILES}h34_bombs_and_names_that_some_system_takes_for_git_meet_a_cap",
         f"{_FILES}h34_files_of_holes_meet_a_cap_together",
         f"{_FILES}h34_an_archive_stays_an_archive",
         f"{_EXTRACT}test_every_spelling_of_git_is_known"),
    ),
    "H35": Case(
        "submodules with `url=-…` or `ext::`",
        "no submodule is ever entered; programs named in URLs are refused",
        (f"{_CLEAN}a_helper_program_named_in_a_url_is_refused",
         "git/test_repository.py::test_a_submodule_is_listed_and_never_entered",
         f"{_REFUSED}files_inside_a_submodule_are_a_finding",
         "hostile/test_repositories.py::test_h35_submodules_with_hostile_addresses_run_nothing"),
    ),
    "H36": Case(
        "SIGKILL of the orchestrator, or of the supervisor, meanwhile",
        "a supervisor that outlives its starter by 30 s; a journal and a reaper; a box that ends with its supervisor",
        (f"{_LIFETIME}h36_a_killed_orchestrator_leaves_a_box_that_reaping_ends",
         f"{_LIFETIME}h36_a_successor_follows_what_a_killed_orchestrator_began",
         f"{_LIFETIME}h36_killing_the_supervisor_takes_the_whole_box_with_it",
         f"{_LIFETIME}h36_a_supervisor_that_is_stopped_keeps_nobody_from_destroying_its_box",
         f"{_LIFETIME}h36_whoever_follows_a_command_is_told_that_its_supervisor_was_killed",
         "sandbox/test_orphans.py::test_without_a_successor_a_box_ends_by_itself",
         "chaos/test_kills.py::test_a_run_killed_once_goes_on_where_it_was"),
    ),
    "H37": Case(
        "forged logs or exit codes",
        "checks run anew in a fresh box on the extracted tree; what an agent says passes for nobody's word",
        (f"{_POLICY}a_failed_check_is_sent_back_with_its_output",
         f"{_POLICY}what_an_agent_says_cannot_pass_for_the_factorys_words",
         "gates/test_checks.py::test_no_output_closes_its_own_fence",
         f"{_AGENTS}what_an_agent_does_to_its_box_ends_with_a_verdict_and_nothing_else"),
    ),
    "H38": Case(
        "starve others of processor time",
        "a quota, or fewer processors",
        (f"{_RESOURCES}h38_a_busy_box_gets_its_share_of_the_processors_alone",),
    ),
}  # fmt: skip

_STAND_IN = "the stand-in of the service ends with the process that made it: there is nothing left to find"
_NO_PROXY = "its network is the service's own: there is no proxy of ours to confuse"
EXCEPTIONS = {
    ("daytona", f"{_NETWORK}h17_no_request_confuses_the_proxy"): _NO_PROXY,
    ("daytona", f"{_NETWORK}h17_other_spellings_of_an_allowed_name_are_that_name"): _NO_PROXY,
    ("daytona", f"{_LIFETIME}h36_a_killed_orchestrator_leaves_a_box_that_reaping_ends"): _STAND_IN,
    ("daytona", f"{_LIFETIME}h36_a_successor_follows_what_a_killed_orchestrator_began"): _STAND_IN,
    (
        "daytona",
        f"{_RESOURCES}h27_what_lies_in_a_folder_that_nobody_may_list_counts",
    ): "its watch is a process of the box, which such a folder shuts out: the service's disk is the limit",
    ("daytona", f"{_KERNEL}h19_a_signal_to_everybody_reaches_the_box_alone"): "the box's own supervisor is in the box",
    (
        "daytona",
        f"{_LIFETIME}h25_games_with_the_boxs_first_process_end_nothing_but_the_box",
    ): "the same: the box is lost",
}
"""(kind of sandbox, test) that says nothing there, and why."""
