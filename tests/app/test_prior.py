"""The prior's finding on the Collapse page: what is off, what it is for, then what to do."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import list_tables


def page(shift, alone=False):
    def script(shift, alone):
        import numpy as np

        from explorer.analysis.collapse.prior_match import match_prior
        from explorer.app.views.collapse.prior import show_prior

        mean = shift + np.sqrt(0.8) * np.random.default_rng(0).normal(size=(4000, 2))
        show_prior(
            match_prior(mean, None if alone else np.full((4000, 2), np.log(0.2))), "own", (0, 6)
        )

    return AppTest.from_function(script, args=(np.asarray(shift), alone)).run(timeout=60)


def test_codes_of_the_prior_are_said_to_follow_it_and_nothing_is_asked():
    shown = page((0.0, 0.0))
    assert not shown.exception and not shown.button_group
    assert shown.caption[0].value.startswith("They follow N(0, 1)")


def test_of_means_alone_it_cannot_be_told():
    assert page((0.0, 0.0), alone=True).caption[0].value.startswith("Means alone cannot tell")


def test_what_is_off_is_named_as_the_file_counts_and_no_remedy_is_given_before_the_use():
    shown = page((0.0, 1.0))
    assert shown.markdown[0].value.startswith("**The codes do not follow the prior N(0, 1).**")
    ((row,),) = list_tables(shown)
    assert row["dimension"] == "z₇" and float(row["mean"]) == pytest.approx(1, abs=0.05)
    assert not shown.info


@pytest.mark.parametrize(
    ("use", "said"),
    [("sampling", "larger β"), ("diffusion", "(z − "), ("embedding", "no fault")],
)
def test_the_remedy_is_that_of_the_use(use, said):
    shown = page((0.0, 1.0))
    shown.button_group[0].set_value(use).run()
    assert said in shown.info[0].value and len(shown.info) == 1


def test_a_scale_that_means_do_not_give_is_not_made_up():
    shown = page((0.0, 1.0), alone=True)
    assert [*list_tables(shown)[0][0]] == ["dimension", "mean", "± mean"]
    shown.button_group[0].set_value("diffusion").run()
    assert "means alone do not give" in shown.info[0].value
