"""What a visit keeps by key: values of the pages' own, and what widgets stand on."""

from streamlit.testing.v1 import AppTest


def counting_app():
    import streamlit as st

    from explorer.app.parts.kept import Kept, count_up, is_shown, move_widget, read_widget

    seed = Kept("seed", 3)
    st.button("more", on_click=count_up, args=(seed,))
    st.button("back", on_click=seed.forget)
    st.button("far", on_click=move_widget, args=("place", 9))
    st.markdown(
        f"seed {seed.get()}, drawn {is_shown('place')}, stands on {read_widget('place', 1)}"
    )
    st.number_input("place", 0, 9, 1, key="place")


def test_a_value_is_kept_from_run_to_run():
    app = AppTest.from_function(counting_app).run()
    assert app.markdown[0].value == "seed 3, drawn False, stands on 1"
    app.button[0].click().run()
    app.button[0].click().run()
    assert app.markdown[0].value == "seed 5, drawn True, stands on 1"
    app.button[1].click().run()
    assert app.markdown[0].value.startswith("seed 3,")


def test_a_callback_moves_a_widget():
    app = AppTest.from_function(counting_app).run()
    app.button[2].click().run()
    assert app.number_input[0].value == 9
