"""A run as one HTML file, by the command line: what the page's button gives, and mistakes told."""

import json

import pytest

from explorer.cli import main


def test_a_shipped_run_becomes_a_file_in_a_language(tmp_path, capsys):
    out = tmp_path / "digits.html"
    assert main(["export", "digits-2d", "--out", str(out), "--language", "zh-Hans", "--json"]) == 0
    values = json.loads(capsys.readouterr().out.splitlines()[-1])
    page = out.read_text(encoding="utf-8")
    assert values == {"run": "digits-2d", "file": str(out), "bytes": out.stat().st_size}
    assert '<html lang="zh-Hans">' in page and 'id="payload">' in page
    assert main(["export", "digits-2d", "--out", str(out)]) == 2
    assert "already there" in capsys.readouterr().err and out.read_text("utf-8") == page
    assert main(["export", "digits-2d", "--out", str(out), "--overwrite"]) == 0
    assert '<html lang="en">' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("run", "said"), [("mnist-vq", "no model with a latent map"), ("nothing", "nothing")]
)
def test_what_has_no_map_is_told(tmp_path, capsys, run, said):
    assert main(["export", run, "--out", str(tmp_path / "page.html")]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())
