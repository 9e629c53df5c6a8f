"""The β lab's button: a family of models is queued, and the page shows it."""

from explorer.app.session import library
from explorer.jobs.sweep import sweep_configs
from explorer.runs.sweeps import list_sweeps, prepare_sweep
from tests.app.test_pages import open_page
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
