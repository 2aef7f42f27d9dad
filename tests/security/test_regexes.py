"""No pattern takes longer than the text is long, and no field takes text without end."""

import ast
import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.validators import RegexValidator
from rest_framework import serializers

from config.api import ProblemSchemaGenerator
from contracts.codes import KVA_PATTERN
from referral.codes import ICD10_PATTERN

sre: Any = import_module("re._constants")
sre_parser: Any = import_module("re._parser")

ROOT = Path(__file__).resolve().parents[2]
APPS = ("organisations", "patients", "contracts", "capacity", "referral", "notices", "statistics")
CALLS = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}


def patterns() -> Iterator[str | bytes]:
    """Every literal pattern given to ``re``, in the validators and in the codes."""
    yield from (KVA_PATTERN, ICD10_PATTERN)
    for top in (*APPS, "config"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.func.attr in CALLS
                    and isinstance(node.args[0], ast.Constant)
                ):
                    yield node.args[0].value
    for model in apps.get_models():
        if model.__module__.split(".")[0] in APPS:
            for field in model._meta.fields:
                for validator in field.validators:
                    if isinstance(validator, RegexValidator):
                        yield validator.regex.pattern


PATTERNS = sorted(set(patterns()), key=repr)


def test_there_are_patterns_to_try():
    assert len(PATTERNS) > 20


def unbounded(tree: Any) -> Iterator[Any]:
    """The repetitions without a top in a parsed pattern."""
    for kind, argument in tree:
        if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            if argument[1] == sre.MAXREPEAT:
                yield argument[2]
            yield from unbounded(argument[2])
        elif isinstance(argument, tuple):
            for part in argument:
                if isinstance(part, sre_parser.SubPattern):
                    yield from unbounded(part)
                elif isinstance(part, list):
                    for one in part:
                        if isinstance(one, sre_parser.SubPattern):
                            yield from unbounded(one)


@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
def test_no_repetition_without_a_top_stands_inside_another(pattern):
    for inner in unbounded(sre_parser.parse(pattern)):
        assert list(unbounded(inner)) == []


UNITS = ["a", "A", "0", "1", "-", " ", "/", "<", "20", "19", "A0", "AB12", "200101", "\n", "=", "&"]
UNITS += ["stream", "t=1,v1=", "13-26-", "\u2010", "å", "K06", "<svg"]


@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
def test_time_grows_no_faster_than_the_text(pattern):
    compiled = re.compile(pattern)

    def seconds(unit: str, size: int) -> float:
        text: Any = unit * (size // len(unit)) + "!"
        if isinstance(pattern, bytes):
            text = text.encode()
        best = 9.0
        for _n in range(2):
            started = time.process_time()
            compiled.search(text)
            compiled.fullmatch(text)
            best = min(best, time.process_time() - started)
        return best

    for unit in UNITS:
        # Sixteen times for what grows with the square; the floor is the clock's own grain.
        assert seconds(unit, 16_000) < 10 * max(seconds(unit, 4_000), 0.001), unit


def below(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def test_every_text_field_of_a_form_has_a_longest_length():
    without = []
    for form in set(below(forms.BaseForm)):
        if form.__module__.split(".")[0] not in (*APPS, "config"):
            continue
        for name, field in getattr(form, "base_fields", {}).items():
            if isinstance(field, forms.CharField) and not field.max_length:
                without.append(f"{form.__module__}.{form.__name__}.{name}")
    assert without == []


def test_every_text_that_the_api_reads_has_a_longest_length():
    schema = ProblemSchemaGenerator().get_schema(request=None, public=True)
    names = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for methods in schema["paths"].values()
        for operation in methods.values()
        # A file is held to its size, and its texts to the columns that take them.
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    without = []
    for serializer in set(below(serializers.Serializer)):
        if serializer.__name__.removesuffix("Serializer") not in names:
            continue
        for name, field in serializer().get_fields().items():
            if type(field) is serializers.CharField and not field.max_length:
                without.append(f"{serializer.__name__}.{name}")
    assert names
    assert without == []
