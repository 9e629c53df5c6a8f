"""An error is one sentence in its place, in the visitor's language."""

import pytest

from explorer.app.session import library
from explorer.runs.writer import mark_run
from tests.app.test_pages import open_page, said
from tests.helpers import present

OTHERS = {
    "zh-Hans": ("没有训练记录", "内存"),
    "zh-Hant": ("沒有訓練紀錄", "記憶體"),
}


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_raised_on_a_page_is_told_in_the_visitors_language(runs, language):
    app = open_page("train", run="nowhere", lang=language)
    (error,) = app.error
    assert OTHERS[language][0] in error.value and "nowhere" in error.value


@pytest.mark.parametrize("language", OTHERS)
def test_what_a_worker_wrote_into_the_status_is_as_well(runs, tiny_run, language):
    run = library().start(present(tiny_run.info.config), "first")
    library().queue.stop(run.path)
    mark_run(run.path, "failed", message="This model and these images do not fit in memory.")
    assert OTHERS[language][1] in "".join(said(open_page("train", run=run.id, lang=language)))


def test_words_that_are_not_known_stay_as_they_are(runs, tiny_run):
    run = library().start(present(tiny_run.info.config), "first")
    library().queue.stop(run.path)
    mark_run(run.path, "failed", message="Something of its own")
    assert any(
        "Something of its own" in sentence
        for sentence in said(open_page("train", run=run.id, lang="zh-Hans"))
    )
