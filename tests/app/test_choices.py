"""What the address asks for is what a widget stands on, also where a run is cut short."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.parts.choices import kept_choice, kept_number


def choosing_app():
    import streamlit as st

    from explorer.app.parts.choices import kept_choice, kept_number

    names = ["mnist-2d", "two", "three"]
    kept = kept_choice("model", names, "run")
    assert kept is not None
    st.selectbox("Model", names, names.index(kept), key="model")
    number = kept_number("image", "image", 7, 0, 99)
    st.number_input("Image", 0, 99, number, key="image")
    st.button("Next")


def open_app(**address):
    app = AppTest.from_function(choosing_app)
    for key, value in address.items():
        app.query_params[key] = value
    return app.run()


@pytest.mark.parametrize(
    ("address", "model", "image"),
    [
        ({"run": "two", "image": "3"}, "two", 3),
        ({}, "mnist-2d", 7),
        ({"run": "no such run", "image": "-4"}, "mnist-2d", 0),
        ({"run": "three", "image": "1000"}, "three", 99),
        ({"run": "two", "image": "9" * 5000}, "two", 7),
    ],
)
def test_a_widget_opens_on_what_the_address_asks_for(address, model, image):
    app = open_app(**address)
    assert app.selectbox(key="model").value == model
    assert app.number_input(key="image").value == image


def test_every_run_sends_the_choice_as_the_default():
    # A browser that never drew the first run's widget starts from the default of the second's.
    app = open_app(run="two", image="3")
    for _ in range(2):
        assert app.selectbox(key="model").proto.default == 1
        assert app.number_input(key="image").proto.default == 3
        app.button[0].click().run()
    app.selectbox(key="model").select("three").run()
    assert app.selectbox(key="model").value == "three"
    assert app.selectbox(key="model").proto.default == 2


def test_a_choice_that_is_gone_gives_way():
    assert kept_choice("nowhere", [], None, "two") is None
    assert kept_choice("nowhere", ["one"], None, "two") == "one"
    assert kept_number("nowhere", None, 2, 0, 1) == 1
