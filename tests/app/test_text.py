"""The app speaks the visitor's language, and English where there is no visitor."""

from explorer.app.text import language, paragraph, sentences, text
from explorer.text import catalogue


def test_outside_a_page_it_speaks_english():
    assert language() == "en"
    assert text("train.start") == "Start"
    assert paragraph("One.", "", "Two.") == "One. Two."
    assert sentences("nav.")["train"] == catalogue("en")["nav.train"]
