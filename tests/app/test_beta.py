"""The β lab without a browser: its button queues a family, and what is said beside the lab."""

from explorer.app.session import library
from explorer.jobs.sweep import sweep_configs
from explorer.runs.sweeps import list_sweeps, prepare_sweep
from explorer.training.family import family_configs, train_family
from tests.app.test_pages import find_given, open_page, said
from tests.helpers import present
from tests.small_run import make_config


def test_start_queues_one_family_of_its_betas_and_shows_it(runs):
    """How it trains and is drawn, a browser sees."""
    prepare_sweep(runs / "bare", "sweep", sweep_configs(make_config(), betas=(1.0, 2.0)))
    app = open_page("beta", sweep="bare")
    app.number_input(key="beta_seconds").set_value(2)
    app.multiselect(key="beta_betas").set_value([0.5, 2.0, 8.0])
    app.number_input(key="beta_latent_dim").set_value(3)
    (button,) = [found for found in app.run().button if str(found.key).startswith("beta_start_")]
    button.click().run()
    (sweep,) = [found for found in list_sweeps(runs) if found.id != "bare"]
    assert sweep.kind == "family" and sweep.id in app.query_params["sweep"]
    configs = [present(run.info.config) for run in sweep.runs().values()]
    assert [config.objective.beta for config in configs] == [0.5, 2.0, 8.0]
    assert {(c.seed, c.model.latent_dim, c.budget.seconds) for c in configs} == {(0, 3, 2.0)}
    (job,) = library().queue.jobs()
    assert job.directory == sweep.path


def test_the_page_says_in_what_the_models_differ(runs):
    configs = sweep_configs(make_config(), betas=(1.0, 2.0), seeds=(0, 1))
    prepare_sweep(runs / "seeds", "sweep", configs)
    (lede, *_) = open_page("beta", sweep="seeds").get("html")
    assert "What differs: β (the price of a nat of KL), the seed." in lede.proto.body


def test_gaussian_models_have_the_linear_theory_beside_them(runs):
    config = make_config(20, hidden=(8,), likelihood="gaussian")
    train_family(family_configs(config, (0.5, 2.0, 8.0)), runs / "theory")
    app = open_page("beta", sweep="theory")
    assert not app.exception
    assert any("the closed form of the best linear model" in line for line in said(app))
    assert find_given(app, "lab")["theory"]["rates"]


def test_other_models_have_no_theory_beside_them():
    app = open_page("beta", sweep="mnist-beta-sweep")
    assert find_given(app, "lab")["theory"] is None
    assert any("so no theory is drawn" in line for line in said(app))
