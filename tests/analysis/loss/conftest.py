"""Marks of this room."""


def pytest_configure(config):
    config.addinivalue_line("markers", "integration: runs pastes in other people's libraries")
