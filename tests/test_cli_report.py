"""The command that writes a report to send."""

import numpy as np

from explorer.cli import main
from tests.analysis.codes_in.makers import make_codes
from tests.helpers import read_json


def test_a_report_is_one_page_and_its_values(capsys, tmp_path):
    mean, logvar = make_codes()
    np.savez(tmp_path / "codes.npz", mean=mean, logvar=logvar)
    out = tmp_path / "report.html"
    arguments = ["report", "--codes", str(tmp_path / "codes.npz"), "--out", str(out), "--json"]
    assert main([*arguments, "--language", "zh-Hant"]) == 0
    values = read_json(capsys)
    assert values["out"] == str(out) and values["language"] == "zh-Hant"
    assert values["latents"] == mean.shape[1] and values["diagnosis"]["images"] == len(mean)
    assert values["headline"] in out.read_text(encoding="utf-8")
    assert main(arguments) == 2
    assert "is there already" in capsys.readouterr().err
