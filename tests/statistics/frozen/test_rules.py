"""The rules that a month is counted by have a name, and do not change in silence."""

from statistics.frozen.rules import CURRENT, RULES, digest_of_measures, rules_named


def test_the_definitions_are_those_of_the_current_rules() -> None:
    """Has a definition changed: add a row to ``RULES`` with a new name, its date and the digest."""
    assert digest_of_measures() == CURRENT.digest


def test_each_version_has_its_own_name_and_comes_after_the_one_before() -> None:
    assert len({one.name for one in RULES}) == len(RULES)
    assert [one.since for one in RULES] == sorted(one.since for one in RULES)
    assert all(rules_named(one.name) == one for one in RULES)
    assert rules_named("finns inte") is None
