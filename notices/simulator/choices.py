"""Messages that are answered by one of several choices, and not by yes or no."""

from typing import Any


def coded(texts: object) -> list[dict[str, str]] | None:
    """A list of ``{"code": …, "text": …}`` and nothing else in them; ``None`` for what is none."""
    if not isinstance(texts, list):
        return None
    kept = []
    for one in texts:
        if not isinstance(one, dict):
            return None
        code, text = one.get("code"), one.get("text")
        if not isinstance(code, str) or not isinstance(text, str):
            return None
        kept.append({"code": code, "text": text})
    return kept


def choices_of(options: object) -> list[dict[str, str]] | None:
    """What the message can be answered with beside yes and no; none for most messages."""
    return coded(options.get("choices") or []) if isinstance(options, dict) else []


def choice_of(message: dict[str, Any], given: object) -> dict[str, Any] | None:
    """The patient's choice as an answer, or None when it is none of the message's."""
    known = [choice["code"] for choice in message["content"]["answer_options"].get("choices", [])]
    return {"choice": given} if isinstance(given, str) and given in known else None
