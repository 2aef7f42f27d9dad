"""Which addresses are neighbours, for the control of the access log."""

import re

# A box at the post office is nobody's neighbour.
_NO_STREET = frozenset({"box", "c/o", "poste restante"})


def neighbourhood(street: str, postal_code: str) -> str:
    """The street without house number and flat, and the postal code; empty for half an address.

    A postal code alone holds some hundred people, in the country a whole parish: too many to mark.
    """
    name = " ".join(re.split(r"[0-9,]", street, maxsplit=1)[0].casefold().split())
    code = "".join(character for character in postal_code if character.isdigit())
    return f"{name} {code}" if name and code and name not in _NO_STREET else ""
