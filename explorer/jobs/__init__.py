"""Trainings that run elsewhere: a queue of worker processes here, sweeps on a cluster."""
