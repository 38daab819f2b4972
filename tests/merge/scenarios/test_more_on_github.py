"""The scenarios of the local forge that no change waits for, held on GitHub's wire with the repository behind it."""

from __future__ import annotations

import pytest
from fakes.github.fixtures import github, github_service
from test_conflict_kinds import (
    test_m25_an_edit_follows_a_file_that_the_parent_renamed,
    test_m26_a_new_file_in_a_directory_that_was_renamed_is_reported,
    test_m34_what_stands_on_an_ejected_branch_waits_and_the_others_land,
)
from test_keeping import (
    test_a_branch_that_a_person_rebased_away_is_left_to_them,
    test_a_squash_that_somebody_made_by_hand_is_recognised,
    test_m11_a_parent_that_moves_during_the_restack_makes_it_start_over,
    test_m12_a_join_is_rebuilt_from_the_base_and_the_parent_that_is_left,
    test_m28_a_child_with_nothing_left_is_closed_and_its_children_go_on,
)
from test_keeping_on_github import stage
from test_landing import (
    test_m15_a_semantic_conflict_ejects_the_second_and_keeps_the_base_green,
    test_m16_what_stands_on_a_closed_one_does_not_land,
    test_m19_a_base_that_moves_meanwhile_has_the_new_tree_checked,
    test_m19_what_the_forge_merged_onto_another_base_is_checked_afterwards,
)
from test_landing_red import (
    test_m32_a_base_that_is_red_itself_ejects_nobody,
    test_m32_where_the_base_moves_singly_each_stop_is_checked_before_the_first,
    test_m33_a_flake_during_the_search_does_not_blame_the_innocent,
    test_m33_a_flake_ejects_nobody,
)
from test_landing_refused import (
    test_m31_a_head_that_moved_is_read_again_and_checked_as_it_is,
    test_m31_what_a_rule_protects_is_held_and_asked_for_once,
)
from test_publishing import (
    test_m01_a_chain_is_stacked,
    test_m02_the_end_of_a_diamond_shows_its_own_work_only,
    test_m03_two_roots_are_joined_and_the_body_lists_both,
    test_m04_twenty_children_share_one_base,
    test_m37_odd_and_very_long_names_work,
)

pytestmark = pytest.mark.nightly
__all__ = [
    "github", "github_service", "stage", "test_a_branch_that_a_person_rebased_away_is_left_to_them",
    "test_a_squash_that_somebody_made_by_hand_is_recognised", "test_m01_a_chain_is_stacked",
    "test_m02_the_end_of_a_diamond_shows_its_own_work_only", "test_m03_two_roots_are_joined_and_the_body_lists_both",
    "test_m04_twenty_children_share_one_base", "test_m11_a_parent_that_moves_during_the_restack_makes_it_start_over",
    "test_m12_a_join_is_rebuilt_from_the_base_and_the_parent_that_is_left",
    "test_m15_a_semantic_conflict_ejects_the_second_and_keeps_the_base_green",
    "test_m16_what_stands_on_a_closed_one_does_not_land",
    "test_m19_a_base_that_moves_meanwhile_has_the_new_tree_checked",
    "test_m19_what_the_forge_merged_onto_another_base_is_checked_afterwards",
    "test_m25_an_edit_follows_a_file_that_the_parent_renamed",
    "test_m26_a_new_file_in_a_directory_that_was_renamed_is_reported",
    "test_m28_a_child_with_nothing_left_is_closed_and_its_children_go_on",
    "test_m31_a_head_that_moved_is_read_again_and_checked_as_it_is",
    "test_m31_what_a_rule_protects_is_held_and_asked_for_once", "test_m32_a_base_that_is_red_itself_ejects_nobody",
    "test_m32_where_the_base_moves_singly_each_stop_is_checked_before_the_first",
    "test_m33_a_flake_during_the_search_does_not_blame_the_innocent", "test_m33_a_flake_ejects_nobody",
    "test_m34_what_stands_on_an_ejected_branch_waits_and_the_others_land", "test_m37_odd_and_very_long_names_work",
]  # fmt: skip
