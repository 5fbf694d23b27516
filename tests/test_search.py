"""The example of a search on clusters, with the real libraries where they are installed."""
import pytest
from test_examples import number, run


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["joblib", "dask", "ray"])
def test_search_on_clusters(backend, monkeypatch):
    pytest.importorskip("sklearn", reason="needs the extra sklearn")
    pytest.importorskip({"dask": "dask.distributed"}.get(backend, backend), reason=f"needs {backend}")
    for name in ("OMP_NUM_THREADS", "CYOPS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)        # it is for each backend to say
    printed = run("search_on_clusters.py", backend, warnings="default")
    assert number(printed, r"best of (\d+)") == 4
    assert number(printed, r"accuracy ([\d.]+)") > 0.8
