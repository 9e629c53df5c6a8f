"""The HTML document that every page is which leaves the app: export, report, site."""

import html

_DOCUMENT = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{head}
</head>
<body>
{body}
</body>
</html>
"""


def frame_document(language: str, policy: str, title: str, head: str, body: str) -> str:
    """Return a whole document: `head` and `body` are HTML, the rest is not.

    `policy` says what the browser may run and load, and stands before all of which it decides.
    """
    return _DOCUMENT.format(
        language=html.escape(language),
        policy=html.escape(policy, quote=False),
        title=html.escape(title),
        head=head,
        body=body,
    )
