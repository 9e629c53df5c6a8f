"""Work in processes of its own: a queue of trainings, sweeps on a cluster, a reader of files."""
