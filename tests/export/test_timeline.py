"""What the browser's timeline is given: rows, latents by their KL, marks with their intervals."""

from explorer.export.timeline import MOST_ROWS, build_timeline


def log(*rows):
    return [{"step": step, "kl_per_dim": list(kl), "beta": 2.0} for step, *kl in rows]


def test_latents_with_the_most_kl_stand_first_and_marks_go_with_them():
    values = build_timeline(log((100, 0.2, 3.0), (105, 0.0, 3.0), (110, 0.0, 3.0)))
    assert values["names"] == ["z₂", "z₁"]
    assert [row["kl"] for row in values["rows"]] == [[3.0, 0.2], [3.0, 0.0], [3.0, 0.0]]
    assert values["marks"] == [{"row": 1, "kind": "died", "at": 105, "after": None}]


def test_between_checkpoints_a_mark_spans_its_interval():
    values = build_timeline(log((1000, 1.0), (2000, 0.0), (3000, 0.5)))
    assert [(mark["kind"], mark["after"], mark["at"]) for mark in values["marks"]] == [
        ("died", 1000, 2000),
        ("woke", 2000, 3000),
    ]


def test_a_long_log_is_thinned_and_no_event_is_lost():
    points = log(*((step, 1.0 if step < 4001 else 0.0) for step in range(1, 9001)))
    values = build_timeline(points)
    assert len(values["rows"]) <= MOST_ROWS
    assert [row["at"] for row in values["rows"]][:: len(values["rows"]) - 1] == [1, 9000]
    assert [mark["at"] for mark in values["marks"]] == [4001]


def test_without_a_log_there_is_nothing_to_draw():
    assert build_timeline([{"step": 1, "kl": 2.0}])["rows"] == []
