"""The sentence of an error in another language than the one in which it was raised.

Errors are raised in English where they arise, and they travel as text: from worker processes, out
of a run's status, through a queue. So a sentence is known by its form. `error.json` holds the forms
that a visitor of the pages can meet, and what stands in a form's places is carried over.
"""

import re
from functools import cache

from explorer.text import say, sentences

PREFIX = "error."
_PLACE = re.compile(r"\\\{(\w+)\\\}")


def retell(language: str, message: str) -> str:
    """Return an English error `message` in `language`; as it is where its form is not known.

    What stands in its places is retold too where it is an error's sentence itself.

    >>> retell("zh-Hans", "There is no run a/b here.")
    '这里没有训练记录 a/b。'
    """
    if language == "en":
        return message
    for key, form in _forms():
        found = form.fullmatch(message)
        if found is not None:
            values = {
                name: retell(language, part.strip()) for name, part in found.groupdict().items()
            }
            return say(language, PREFIX + key, **values)
    return message


@cache
def _forms() -> list[tuple[str, re.Pattern[str]]]:
    """Return the keys without their prefix and their forms, those that say most first."""
    known = sentences("en", PREFIX)
    ordered = sorted(known, key=lambda key: len(re.sub(r"\{\w+\}", "", known[key])), reverse=True)
    return [
        (key, re.compile(_PLACE.sub(r"(?P<\1>.*?)", re.escape(known[key])), re.DOTALL))
        for key in ordered
    ]
