"""Names that people give to things."""

from apikeys.errors import ChangeRefused

LONGEST_NAME = 200


def clean_name(name: str) -> str:
    """`name` without blanks around it. Refuses the empty one, the endless one, and control characters."""
    name = name.strip()
    if not name:
        raise ChangeRefused("A name is needed.", code="name_missing")
    if len(name) > LONGEST_NAME:
        raise ChangeRefused(f"A name has at most {LONGEST_NAME} characters.", code="name_too_long")
    if not name.isprintable():
        raise ChangeRefused("A name holds only printable characters.", code="name_not_printable")
    return name
