"""The app speaks the visitor's language, and English where there is no visitor."""

import pytest

from explorer.app.text import JOINER, language, paragraph, plain, sentences, text
from explorer.text import catalogue


def test_outside_a_page_it_speaks_english():
    assert language() == "en"
    assert text("train.start") == "Start"
    assert paragraph("One.", "", "Two.") == "One. Two."
    assert sentences("nav.")["train"] == catalogue("en")["nav.train"]


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("my best run 2", "my best run 2"),
        ("简 · β 4", "简 · β 4"),
        ("a_b *c* `d` $e$", r"a\_b \*c\* \`d\` \$e\$"),
        ("[x](y) ![z](w) <b>", r"\[x\]\(y\) \!\[z\]\(w\) \<b\>"),
        ("one:\n\n# two\n- three", r"one\: \# two \- three"),
        ("https://x.y", rf"https\:{JOINER}\/\/x\.y"),
        ("WWW.x.y", rf"WWW{JOINER}\.x\.y"),
        ("a@b.c", rf"a{JOINER}\@{JOINER}b\.c"),
        (":red[x] :smile:", rf"\:{JOINER}red\[x\] \:{JOINER}smile\:"),
        (ValueError("a_b"), r"a\_b"),
    ],
)
def test_what_others_wrote_is_no_markdown(words, written):
    assert plain(words) == written
