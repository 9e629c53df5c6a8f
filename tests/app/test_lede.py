"""The outline of a page stands until its sentence does."""

from streamlit.testing.v1 import AppTest


def open_slow_page() -> None:
    import streamlit as st

    from explorer.app.parts.lede import keep_until_lede, show_lede

    place = st.empty()
    place.text("outline")
    keep_until_lede(place)
    if st.checkbox("imported"):
        show_lede("models.lede")


def fail_before_the_sentence() -> None:
    import streamlit as st

    from explorer.app.parts.lede import clear_outline, keep_until_lede

    place = st.empty()
    place.text("outline")
    keep_until_lede(place)
    clear_outline()


def test_it_stands_while_the_page_is_imported_and_goes_with_its_sentence():
    page = AppTest.from_function(open_slow_page).run()
    assert [each.value for each in page.text] == ["outline"]
    page.checkbox[0].check().run()
    assert not page.exception and not page.text


def test_it_goes_too_where_a_page_has_shown_no_sentence():
    assert not AppTest.from_function(fail_before_the_sentence).run().text
