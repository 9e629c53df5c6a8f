"""The address of a page: read once, checked, kept in step, and told where it cannot be."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest


def bound_app():
    import streamlit as st

    from explorer.app.parts.address import tell_refused
    from explorer.app.parts.choices import bound_number, bound_segments, bound_select

    st.write(
        bound_segments("a", "view", ("plane", "map"), "View", str.upper),
        bound_select("b", "count", (2, 8, 50), "Count", start=8),
        bound_number("c", "image", "Image", 0, 99, 7),
        bound_number("d", "beta", "β", 0.0, 10.0, 1.0),
    )
    tell_refused()


def open_app(**address):
    app = AppTest.from_function(bound_app)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def shown(app):
    return [
        app.get("button_group")[0].value,
        app.selectbox[0].value,
        app.number_input[0].value,
        app.number_input[1].value,
    ]


def address(app):
    found = app.query_params.items()
    return {name: value if isinstance(value, str) else value[0] for name, value in found}


def test_a_page_as_it_opens_needs_no_address():
    app = open_app()
    assert shown(app) == ["plane", 8, 7, 1.0]
    assert address(app) == {} and not app.toast


def test_the_address_is_what_the_widgets_stand_on_and_stays():
    asked = {"view": "map", "count": "50", "image": "3", "beta": "0.25"}
    app = open_app(**asked)
    for _ in range(2):
        assert shown(app) == ["map", 50, 3, 0.25]
        assert address(app) == asked
        app.run()
    assert not app.toast


def test_what_is_chosen_is_written_and_what_is_as_it_opens_is_taken_out():
    app = open_app(count="50", image="3")
    app.selectbox[0].set_value(2)
    app.number_input[0].set_value(7)
    app.number_input[1].set_value(1 / 3)
    app.run()
    assert address(app) == {"count": "2", "beta": "0.333333333333"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"view": "MAP"}, "view"),
        ({"count": "8.0", "image": "3.5"}, "count, image"),
        ({"image": "9" * 5000, "beta": "nan"}, "image, beta"),
        ({"beta": "1e999", "view": "<script>"}, "view, beta"),
    ],
)
def test_what_cannot_be_is_left_out_and_told_once(asked, names):
    app = open_app(**asked)
    assert not app.exception and shown(app) == ["plane", 8, 7, 1.0]
    assert [toast.value for toast in app.toast] == [
        f"Not understood in this address, and left out: {names}."
    ]
    assert address(app) == {}
    assert not app.run().toast


def test_what_a_rerun_keeps_from_being_told_is_told_by_the_next_run(monkeypatch):
    """Streamlit stops a script, when it must begin anew, just before what it would send."""
    toast, called = st.toast, []

    def stopped_once(*told, **options):
        called.append(told)
        if len(called) == 1:
            st.rerun()
        return toast(*told, **options)

    monkeypatch.setattr(st, "toast", stopped_once)
    app = open_app(image="x")
    assert len(called) == 2 and called[0] == called[1]
    assert [shown.value for shown in app.toast] == [called[0][0]]


def test_after_back_the_address_counts_and_else_what_was_chosen(monkeypatch):
    app = open_app(view="map", image="3")
    app.selectbox[0].set_value(2)
    app.number_input[0].set_value(9)
    app.run()
    asked = {"view": "map", "image": "3", "beta": "0.5"}
    for name in address(app):
        del app.query_params[name]
    for name, value in asked.items():
        app.query_params[name] = value
    monkeypatch.setattr("explorer.app.parts.choices.is_led_back", lambda: True)
    assert shown(app.run()) == ["map", 8, 3, 0.5]
    assert address(app) == asked
    monkeypatch.undo()
    del app.query_params["image"]  # It was on its way when another widget was moved.
    app.selectbox[0].set_value(50)
    assert shown(app.run()) == ["map", 50, 3, 0.5]
    assert address(app) == asked | {"count": "50"}


def switched_app():
    from explorer.app.views.learn.parts import choose_switch

    choose_switch("As written", key="written")


def test_back_takes_a_switch_along(monkeypatch):
    app = AppTest.from_function(switched_app).run()
    app.toggle[0].set_value(True).run()
    assert address(app) == {"written": "1"}
    monkeypatch.setattr("explorer.app.views.learn.parts.is_led_back", lambda: True)
    del app.query_params["written"]
    assert not app.run().toggle[0].value and address(app) == {}
    app.query_params["written"] = "1"
    assert app.run().toggle[0].value and address(app) == {"written": "1"}


def test_numbers_beyond_their_limits_are_moved_to_them():
    assert shown(open_app(image="1000", beta="-3"))[2:] == [99, 0.0]


def renamed_app():
    from explorer.app.parts.address import read_as

    read_as("run", "model")


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ({"model": "two"}, {"run": "two"}),
        ({"run": "one", "model": "two"}, {"run": "one"}),
        ({"image": "3"}, {"image": "3"}),
    ],
)
def test_a_run_is_found_under_either_name(asked, read):
    app = AppTest.from_function(renamed_app)
    for name, value in asked.items():
        app.query_params[name] = value
    assert address(app.run()) == read


def learn_app():
    from explorer.app.parts.address import keep_own

    keep_own("learn")


def test_a_page_leaves_out_what_other_pages_say():
    app = AppTest.from_function(learn_app)
    mixed = {"chapter": "kl", "section": "chains", "run": "mnist-2d", "present": "1", "z": "0,1"}
    for name, value in mixed.items():
        app.query_params[name] = value
    app.run()
    assert address(app) == {name: value for name, value in mixed.items() if name != "section"}
