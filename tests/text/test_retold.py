"""Errors in the visitor's language: known by their form, which is the one that the code raises."""

import ast
import re
from pathlib import Path

import pytest

import explorer
from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.library import Library
from explorer.text import LANGUAGES, catalogue
from explorer.text.retold import PREFIX, retell

PACKAGE = Path(explorer.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]
KNOWN = {key: sentence for key, sentence in catalogue().items() if key.startswith(PREFIX)}


def written_forms():
    """Return every string that the code holds, with its places empty."""
    forms = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                forms.add(node.value.strip())
            elif isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
                forms.add("".join(map(str, parts)).strip())
    return forms


def test_each_form_is_one_that_the_code_raises():
    written = written_forms()
    unknown = [key for key, form in KNOWN.items() if re.sub(r"\{\w+\}", "{}", form) not in written]
    assert unknown == [], "a sentence that changed in code has to change in error.json"


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("key", KNOWN)
def test_a_sentence_is_retold_with_what_stands_in_it(key, language):
    names = re.findall(r"\{(\w+)\}", KNOWN[key])
    values = {name: f"«{number}»" for number, name in enumerate(names)}
    told = retell(language, KNOWN[key].format(**values))
    assert told == catalogue(language)[key].format(**values)


def test_what_is_raised_is_retold(tmp_path):
    with pytest.raises(ExplorerError) as raised:
        Library(tmp_path).find("nowhere")
    assert retell("zh-Hans", str(raised.value)).startswith("没有训练记录 'nowhere'；")
    with pytest.raises(ExplorerError) as raised:
        ModelConfig(latent="categorical", network="mlp")
    assert retell("zh-Hant", str(raised.value)) == "VQ-VAE 是卷積的：請選擇網路 conv。"


def test_an_error_within_an_error_is_retold_as_well():
    within = "The weights of run a cannot be read: b.npz ends too early: it is broken.."
    assert retell("zh-Hans", within) == "无法读取训练记录 a 的权重：b.npz 提前结束：它已损坏。。"


def test_a_number_of_words_or_lines_may_stand_in_a_place():
    message = "The reading of 漢字\nfailed cannot be read: no space left."
    assert retell("zh-Hant", message) == "無法讀取 The reading of 漢字\nfailed：no space left。"


@pytest.mark.parametrize("message", ["", "Something else went wrong.", "{name} is empty"])
def test_what_is_not_known_stays_as_it_is(message):
    assert all(retell(language, message) == message for language in LANGUAGES)


def test_english_stays_to_the_letter():
    assert retell("en", "There is no run a here.") == "There is no run a here."
