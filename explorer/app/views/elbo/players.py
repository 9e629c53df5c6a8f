"""Two players: encoder steps, decoder steps, and one step in slow motion."""

import copy
from functools import partial

import streamlit as st

from explorer.analysis.teaching.players import PLAYERS, STARTS, Game, Position
from explorer.app.cached.elbo_sections import get_game, observation_key
from explorer.app.observation import Observation
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.choices import bound_segments
from explorer.app.parts.kept import Kept
from explorer.app.text import paragraph, sentences, text
from explorer.app.views.elbo.slow import ask_to_play, show_slow_motion
from explorer.figures.elbo_players import bound_over_steps

VIEWS = ("game", "slow")
SCOPES = ("image", "batch")
STEPS = (1, 10, 50)
GAME: Kept[tuple[object, Game] | None] = Kept("elbo_players_game", None)
"""This visitor's copy of the model, and what it was made for."""


def show_players(observation: Observation) -> None:
    """Lay out the section."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        view = bound_segments(
            "elbo_players_view",
            "view",
            VIEWS,
            text("elbo_players.view"),
            lambda name: text(f"elbo_players.view.{name}"),
            "game",
            label_visibility="collapsed",
        )
        playing = view == "slow" and ask_to_play()
    st.caption(text(f"elbo_players.lead.{view}"))
    if view == "slow":
        show_slow_motion(observation, playing)
    else:
        st.fragment(_show_game)(observation)


def _show_game(observation: Observation) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        start = bound_segments(
            "elbo_players_start",
            "start",
            STARTS,
            text("elbo_players.start"),
            lambda name: text(f"elbo_players.start.{name}"),
            "trained",
        )
        scope = bound_segments(
            "elbo_players_scope",
            "scope",
            SCOPES,
            text("elbo_players.scope"),
            lambda name: text(f"elbo_players.scope.{name}"),
            "image",
        )
        st.button(text("elbo_players.reset"), key="elbo_players_reset", on_click=GAME.forget)
    pressed = _show_players()
    with st.spinner(text("elbo_players.measuring")):
        game = _find_game(observation, start, scope)
        if pressed is not None:
            game = _play(game, (*observation_key(observation), start, scope), *pressed)
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        positions = game.positions
        figure = bound_over_steps(
            [p.step for p in positions],
            [p.elbo for p in positions],
            [p.log_px for p in positions],
            [p.player for p in positions],
            role_colours(),
            sentences("elbo_players.words."),
        )
        show_chart(figure, "elbo_players_bound", text("elbo_players.caption"))
    with right:
        _show_score(game, scope)


def _show_players() -> tuple[str, int] | None:
    """Show each player's buttons; return who was asked to step, and how often."""
    pressed = None
    for column, player in zip(st.columns(3, gap="small"), PLAYERS, strict=True):
        with column, st.container(border=True, key=f"elbo_player_{player}"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.html(
                    f'<span class="explorer-player" data-player="{player}">'
                    f"{text(f'elbo_players.{player}')}</span>"
                )
                for steps in STEPS:
                    words = text("elbo_players.steps", steps=steps)
                    if st.button(words, key=f"elbo_players_{player}_{steps}"):
                        pressed = player, steps
    return pressed


def _find_game(observation: Observation, start: str, scope: str) -> Game:
    """Return this visitor's game; before a step, and on another image or start, that of all."""
    kept = GAME.get()
    if kept is not None and kept[0] == (*observation_key(observation), start, scope):
        return kept[1]
    return get_game(observation, start, scope)


def _play(game: Game, wanted: object, player: str, steps: int) -> Game:
    """Return the visitor's own game after some steps of a player; that of all stays as it is."""
    kept = GAME.get()
    own = game if kept is not None and kept[1] is game else copy.deepcopy(game)
    own.play(player, steps)
    GAME.put((wanted, own))
    return own


def _show_score(game: Game, scope: str) -> None:
    """Show the three numbers now, what the last press changed, and what that teaches."""
    now = game.positions[-1]
    before = _before_press(game.positions)
    figures = partial(_describe, now=now, before=before)
    rows = "".join(figures(name) for name in ("log_px", "elbo", "gap"))
    st.html(f'<div class="explorer-table explorer-score"><table>{rows}</table></div>')
    st.markdown(text(f"elbo_players.lesson.{now.player or 'none'}"))
    notes = text(f"elbo_players.of.{scope}", images=len(game.x))
    how = "exact" if now.is_exact else "estimated"
    st.caption(paragraph(notes, text(f"elbo_players.{how}")))
    if now.doubtful:
        key = "uncertified" if now.is_exact else "flagged"
        st.warning(text(f"elbo_players.{key}", doubtful=now.doubtful, images=len(game.x)))


def _before_press(positions: list[Position]) -> Position:
    """Return the position before the last player's unbroken turn."""
    place = len(positions) - 1
    while place > 0 and positions[place].player == positions[-1].player:
        place -= 1
    return positions[place]


def _describe(name: str, now: Position, before: Position) -> str:
    value = getattr(now, name)
    # Rounded first, so that nothing is shown as minus zero.
    change = round(value - getattr(before, name), 2) + 0.0
    shown = text("elbo_players.value", value=value)
    moved = text("elbo_players.change", change=change) if now.step > before.step else ""
    return (
        f'<tr data-name="{name}"><td>{text(f"elbo_players.{name}")}</td>'
        f'<td><b data-figure="{name}">{shown}</b></td>'
        f'<td data-figure="{name}_change">{moved}</td></tr>'
    )
