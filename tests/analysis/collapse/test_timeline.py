"""Events of dying and waking from logged KL."""

from explorer.analysis.collapse.timeline import Event, find_events


def test_a_dimension_dies_once_and_noise_between_the_thresholds_makes_no_events():
    kl = [[0.5], [0.02], [0.012], [0.02], [0.005], [0.015], [0.004]]
    assert find_events(range(7), kl) == [Event(0, 4, "died")]


def test_it_may_come_back():
    kl = [[0.0, 1.0], [0.2, 1.0], [0.0, 0.0], [0.5, 0.0]]
    assert find_events([1, 2, 3, 4], kl) == [
        Event(0, 2, "woke"),
        Event(0, 3, "died"),
        Event(1, 3, "died"),
        Event(0, 4, "woke"),
    ]


def test_no_points_no_events():
    assert find_events([], []) == []
