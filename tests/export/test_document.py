"""The document of a page that leaves the app: what is no HTML stays words, and the policy first."""

from html.parser import HTMLParser

from explorer.export.document import frame_document


class Reader(HTMLParser):
    """Takes down the tags with their attributes, and the text of the title."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.title = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "title":
            self.title += data.strip()


def test_the_policy_stands_before_all_that_it_decides_on():
    policy = "default-src 'none'; img-src data:"
    read = Reader(frame_document("zh-Hans", policy, "t", "<style></style>", "<p>words</p>"))
    assert read.tags[0] == ("html", {"lang": "zh-Hans"})
    told = {"http-equiv": "Content-Security-Policy", "content": policy}
    assert [tag for tag, _ in read.tags].index("style") > read.tags.index(("meta", told))


def test_a_title_that_is_html_is_read_letter_by_letter():
    title = "</title><script>alert(1)</script> & {more}"
    read = Reader(frame_document("en", "", title, "", ""))
    assert read.title == title
    assert "script" not in [tag for tag, _ in read.tags]
