"""Files are adopted in the tests' own process, where the other one is not asked about."""

import json

import pytest

from explorer.adopting import files
from explorer.adopting.worker import work


@pytest.fixture
def adopted_here(monkeypatch):
    """Have the work done at once, on the job as another process would get it."""

    def do(module, job, progress=None, stop=None):
        def tell(event, done, total):
            if progress is not None:
                progress(done, total)

        return work(json.loads(json.dumps(job)), tell, stop or (lambda: False))

    monkeypatch.setattr(files, "run_worker", do)
