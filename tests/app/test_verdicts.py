"""The state of all dimensions in words, whatever stands beside what sleeps."""

import pytest

from explorer.app.views.collapse.verdicts import describe_state


@pytest.mark.parametrize(
    "state, verdicts, told",
    [
        ("uncertain", ["collapsed", "empty", "uncertain"], ["2 of 3", "On 1 of 3"]),
        ("collapsed", ["collapsed", "empty", "collapsed"], ["Collapsed", "0 of 3"]),
        ("partial", ["collapsed", "active", "uncertain"], ["1 of 3", "On 1 of 3"]),
        ("healthy", ["active", "weak", "active"], ["Healthy"]),
    ],
)
def test_what_sleeps_and_what_is_uncertain_are_both_told(state, verdicts, told):
    rows = [{"verdict": verdict} for verdict in verdicts]
    sentence = describe_state({"state": state, "dimensions": rows, "images": 1000})
    assert all(part in sentence for part in told)
