"""Search for the best network on many processes: scikit-learn's search with joblib, with Dask, or with Ray.

    python examples/search_on_clusters.py joblib
    python examples/search_on_clusters.py dask       # pip install "dask[distributed]"
    python examples/search_on_clusters.py ray        # pip install ray

Each network is small and is trained by one process of one thread, several of them at once: that is faster than one
network on many threads, and no two processes share a core. On a cluster the address of its scheduler is all that
changes: `Client("tcp://scheduler:8786")`, `ray.init(address="auto")`.
"""
import argparse
import contextlib
import importlib
import os

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

import cyops
from cytensor.sklearn import CyTensorClassifier

PROCESSES = 2
GRID = {"hidden_layer_sizes": [(16,), (64,)], "learning_rate": [0.001, 0.01]}


class CountingClassifier(CyTensorClassifier):
    """The estimator, which also notes in how many threads it was trained."""

    def fit(self, *args, **kwargs):
        super().fit(*args, **kwargs)
        self.threads_ = cyops.get_num_threads()
        return self

    def score(self, *args, **kwargs):
        if self.threads_ != 1:
            raise RuntimeError(f"a network was trained by {self.threads_} threads beside others")
        return super().score(*args, **kwargs)


@contextlib.contextmanager
def with_joblib():
    """Processes of this machine; joblib tells each how many threads it may have."""
    with joblib.parallel_config("loky", n_jobs=PROCESSES, inner_max_num_threads=1):
        yield


@contextlib.contextmanager
def with_dask():
    """Processes of Dask, here a cluster of one machine, each told by its environment."""
    dask = importlib.import_module("dask.distributed")
    with (dask.LocalCluster(n_workers=PROCESSES, threads_per_worker=1, dashboard_address=None) as cluster,
          dask.Client(cluster), joblib.parallel_config("dask")):
        yield


@contextlib.contextmanager
def with_ray():
    """Processes of Ray, each with one of its cores."""
    ray = importlib.import_module("ray")
    ray.init(num_cpus=PROCESSES, include_dashboard=False, log_to_driver=False)
    importlib.import_module("ray.util.joblib").register_ray()
    try:
        with joblib.parallel_config("ray", n_jobs=PROCESSES):
            yield
    finally:
        ray.shutdown()


BACKENDS = {"joblib": with_joblib, "dask": with_dask, "ray": with_ray}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backend", choices=BACKENDS)
    options = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    search = GridSearchCV(CountingClassifier(epochs=5, random_state=0), GRID, cv=3)
    with BACKENDS[options.backend]():
        search.fit((x[:600] / 16).astype(np.float32), y[:600])
    print(f"best of {len(search.cv_results_['params'])}: {search.best_params_}, accuracy {search.best_score_:.3f}, "
          f"on {PROCESSES} processes of one thread ({os.cpu_count()} cores)")


if __name__ == "__main__":
    main()
