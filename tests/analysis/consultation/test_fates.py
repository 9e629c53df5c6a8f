"""When a dimension fell asleep: a date of a dense log, an interval of checkpoints."""

from explorer.analysis.consultation.fates import date_sleep, find_fates


def log(*rows, beta=None):
    return [{"step": step, "kl_per_dim": list(kl), "beta": beta} for step, *kl in rows]


def test_a_dimension_is_dated_by_the_last_time_it_fell_asleep():
    points = log((1, 1.0, 0.5), (10, 0.0, 0.5), (20, 0.5, 0.5), (30, 0.0, 0.5), beta=4.0)
    first, second = find_fates(points)
    assert (first.kind, first.after, first.step, first.beta) == ("died", 20, 30, 4.0)
    assert (second.kind, second.step) == ("awake", None)


def test_what_never_woke_has_no_date_and_what_woke_has_one():
    never, woke = find_fates(log((1, 0.001, 0.001), (10, 0.02, 0.2), (20, 0.001, 0.3)))
    assert (never.kind, never.step) == ("never", None)
    assert (woke.kind, woke.after, woke.step) == ("woke", 1, 10)


def test_between_checkpoints_a_date_is_an_interval():
    dense = log((980, 1.0), (1000, 0.0))
    checkpoints = log((1000, 1.0), (2000, 0.0))
    assert not date_sleep(find_fates(dense), [0]).is_coarse
    found = date_sleep(find_fates(checkpoints), [0])
    assert found.is_coarse and (found.after, found.step) == (1000, 2000)


def test_of_several_the_last_is_the_date_and_the_others_are_counted():
    points = log((1, 1.0, 1.0, 0.0, 1.0), (9, 1.0, 0.0, 0.0, 1.0), (10, 0.0, 0.0, 0.0, 1.0))
    found = date_sleep(find_fates(points), [0, 1, 2])
    assert (found.after, found.step, found.never) == (1, 10, 1)
    assert date_sleep(find_fates(points), [2]).step is None


def test_without_a_log_there_is_no_date():
    assert find_fates([]) == ()
    assert date_sleep((), [0, 1]).step is None
