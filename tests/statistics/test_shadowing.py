"""The app's name is the standard library's too; both must work."""

import importlib
import random

import statistics


def test_the_standard_module_is_still_there() -> None:
    assert statistics.median([1, 3]) == 2
    assert statistics.fmean([1, 2]) == 1.5
    from statistics import NormalDist

    assert NormalDist(0, 1).mean == 0


def test_the_app_is_there_too() -> None:
    assert importlib.import_module("statistics.selectors").TREND_MONTHS == 13
    assert random.gauss(0, 1) is not None
