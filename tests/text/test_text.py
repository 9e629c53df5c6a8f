"""The text catalogue: three languages with the same keys, each in its own script, none unused."""

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

import explorer
from explorer import text as text_module
from explorer.config.model import LIKELIHOOD_NAMES, NETWORK_NAMES
from explorer.config.objective import BETA_SCHEDULES
from explorer.datasets import DATASETS
from explorer.facts import PRIORS
from explorer.figures.words import WORDS
from explorer.text import LANGUAGES, catalogue, closest_language, number, paragraph, say, sentences

FOLDER = Path(text_module.__file__).parent
PACKAGE = Path(explorer.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%?\{[a-z_]\w*(?::[^{}]*)?\}")
HAN = re.compile(r"[㐀-鿿]")
# Characters of the other script that this one's character set knows too, in other meanings.
MISLEADING = {"zh-Hans": "著麽", "zh-Hant": "后里云几于并着复么号尔"}
CHARSET = {"zh-Hans": "gb2312", "zh-Hant": "big5"}


def pages(language):
    return sorted(path.name for path in (FOLDER / language).glob("*.json"))


def load(language, page):
    """Return the pairs of a file, doubled keys and all."""
    path = FOLDER / language / page
    if not path.is_file():
        pytest.fail(f"{language}/{page} is missing.")
    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)


@pytest.mark.parametrize("page", pages("en"))
@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_everything(language, page):
    ours, theirs = dict(load("en", page)), dict(load(language, page))
    missing = [key for key in ours if key not in theirs]
    assert not missing, f"{language}/{page} lacks {missing}"
    unknown = [key for key in theirs if key not in ours]
    assert not unknown, f"{language}/{page} has what en/{page} has not: {unknown}"
    for key, sentence in ours.items():
        wanted = Counter(PLACEHOLDER.findall(sentence))
        found = Counter(PLACEHOLDER.findall(theirs[key]))
        assert set(found) == set(wanted), f"{language}/{page}, {key}: {found} for {wanted}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_language_has_pages_of_its_own(language):
    assert set(pages(language)) <= set(pages("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_and_no_key_is_given_twice(language):
    pairs = [(page, key, value) for page in pages(language) for key, value in load(language, page)]
    empty = [f"{language}/{page}, {key}" for page, key, value in pairs if not value.strip()]
    assert empty == []
    twice = [key for key, count in Counter(key for _, key, _ in pairs).items() if count > 1]
    assert twice == []


@pytest.mark.parametrize("language", OTHERS)
def test_scripts_are_not_mixed(language):
    mixed = []
    for page in pages(language):
        for key, sentence in load(language, page):
            for character in HAN.findall(sentence):
                try:
                    character.encode(CHARSET[language])
                    wrong = character in MISLEADING[language]
                except UnicodeEncodeError:
                    wrong = True
                if wrong:
                    mixed.append(f"{language}/{page}, {key}: {character}")
    assert mixed == []


@pytest.mark.parametrize("language", OTHERS)
def test_chinese_is_written_as_chinese(language):
    quotes = "「」" if language == "zh-Hans" else "“”"
    wrong = []
    for page in pages(language):
        for key, sentence in load(language, page):
            narrow = re.search(r"[㐀-鿿][,;:!?](?!\w)|[㐀-鿿]\.(?!\w)", sentence)
            english = not HAN.search(sentence) and re.search(r"\b[a-z]{3,} [a-z]{3,}", sentence)
            if narrow or english or any(quote in sentence for quote in quotes):
                wrong.append(f"{language}/{page}, {key}: {sentence}")
    assert wrong == []


def test_traditional_chinese_has_taiwans_terms():
    mainland = "信息 數據 默認 概率 網絡 菜單 屏幕 鼠標 方差 似然 變量 優化 分佈 圖像 噪聲 採樣"
    found = [
        f"{page}, {key}: {term}"
        for page in pages("zh-Hant")
        for key, sentence in load("zh-Hant", page)
        for term in mainland.split()
        if term in sentence
    ]
    assert found == []


def test_scripts_are_told_apart():
    for simplified, traditional in ("们們", "这這", "图圖", "数數", "码碼", "验驗", "隐隱"):
        with pytest.raises(UnicodeEncodeError):
            traditional.encode("gb2312")
        with pytest.raises(UnicodeEncodeError):
            simplified.encode("big5")


# What the code asks for


def asked():
    """Return literal keys with their file, and patterns of keys that are put together."""
    stems = {key.split(".")[0] for key in catalogue()}
    literal, patterns = [], []
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                inside |= {id(part) for part in node.values}
                pattern = "".join(
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.-]*"
                    for part in node.values
                )
                if pattern.split("\\.")[0] in stems and "\\." in pattern:
                    patterns.append((path, pattern))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
                is_key = re.fullmatch(r"[a-z_]+\.[\w.-]*", word) and id(node) not in inside
                is_file = word.endswith((".py", ".js", ".json", ".npz"))
                if is_key and not is_file and word.split(".")[0] in stems:
                    literal.append((path, word))
    return literal, patterns


def test_every_key_that_the_code_asks_for_is_there():
    keys = set(catalogue())
    literal, patterns = asked()
    for path, key in literal:
        known = key in keys or key.endswith(".") and any(known.startswith(key) for known in keys)
        assert known, f"{path.relative_to(PACKAGE)} asks for {key}"
    for path, pattern in patterns:
        known = any(re.fullmatch(pattern, key) for key in keys)
        assert known, f"{path.relative_to(PACKAGE)} asks for {pattern}"


def test_every_key_is_asked_for():
    literal, patterns = asked()
    words = {key for _, key in literal if not key.endswith(".")}
    starts = tuple({key for _, key in literal if key.endswith(".")} - {"explore."})
    shapes = re.compile("|".join(f"(?:{pattern})" for _, pattern in patterns))
    dead = [
        key
        for key in catalogue()
        # What the map asks for is counted in test_export_page.py.
        if key not in words
        and not key.startswith((*starts, "explore."))
        and not shapes.fullmatch(key)
    ]
    assert dead == []


def test_every_choice_has_its_name():
    known = catalogue()
    for name, choices in (
        ("network", NETWORK_NAMES),
        ("likelihood", LIKELIHOOD_NAMES),
        ("prior", PRIORS),
        ("schedule", BETA_SCHEDULES),
    ):
        for choice in choices:
            assert f"train.{name}.{choice}" in known
    assert all(f"app.dataset.{n}" in known for n, entry in DATASETS.items() if not entry.offline)


def test_figures_speak_the_catalogues_english():
    assert sentences("en", "figure.") == WORDS


# How it answers


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en-US", "en"), ("de", "en"), (None, "en"), ("", "en"), ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"), ("zh_SG", "zh-Hans"), ("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"),
        ("zh-Hant", "zh-Hant"), ("zh-Hans-TW", "zh-Hans"),
    ],
)  # fmt: skip
def test_a_browsers_locale_finds_its_language(locale, language):
    assert closest_language(locale) == language


def test_sentences_follow_one_another_as_the_language_writes_them():
    assert paragraph("en", "One.", "", "Two.") == "One. Two."
    assert paragraph("zh-Hant", "一。", "", "二。") == "一。二。"


def test_thousands_are_written_out():
    assert number(1000, ".3g") == "1,000" and number(-123_456, ".3g") == "−123,000"
    assert number(2e9, ".3g") == "2e+09" and number(1e-5, ".3g") == "1e−05"
    assert number(12.34, ".3g") == "12.3"


def test_numbers_have_a_true_minus_sign():
    assert number(-1.5) == "−1.50" and number(-1e-5, ".0e") == "−1e−05"
    assert say("en", "beta.grid.beta", value=-0.25) == "β −0.25"
    assert say("en", "runs.bin.entry", name="a-b", until=-2) == "a-b, until −2"
