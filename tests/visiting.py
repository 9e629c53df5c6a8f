"""A visitor without a browser: a socket that speaks Streamlit's own protocol with a server."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

LIVE = "explorer_live_slider"
LONGEST_TURN = 120.0
"""Seconds that a page is waited for."""


@dataclass
class Slider:
    """A slider of a page, and the fragment that runs when it is moved, "" for the whole page."""

    id: str
    low: float
    high: float
    fragment: str
    steps: tuple[str, ...] = ()
    """What a slider of steps stands on, in place of numbers."""
    is_live: bool = False
    """Whether it is the app's own, which reports while it is dragged."""


@dataclass
class Turn:
    """What the server sent for one request, until its script had run to its end."""

    seconds: float = 0.0
    """From the request to the end of the script."""
    bytes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Elements by Streamlit's name for them."""
    errors: list[str] = field(default_factory=list)
    """Exceptions, as they are shown."""
    alerts: list[str] = field(default_factory=list)
    sliders: list[Slider] = field(default_factory=list)
    widgets: dict[str, str] = field(default_factory=dict)
    """Of buttons and components: the fragment of each by its id."""
    words: list[str] = field(default_factory=list)
    """What is written, in texts and in the data of components."""

    def note(self, delta: Any) -> None:
        """Take down what one delta brings."""
        element = delta.new_element
        kind = element.WhichOneof("type") if delta.WhichOneof("type") == "new_element" else None
        if kind is not None:
            self.kinds[kind] += 1
            self.words.append(str(element))
        if kind in ("button", "bidi_component"):
            self.widgets[getattr(element, kind).id] = delta.fragment_id
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert":
            self.alerts.append(element.alert.body)
        elif kind == "bidi_component" and element.bidi_component.component_name == LIVE:
            component = element.bidi_component
            data = json.loads(component.mixed.json or component.json)[0]
            low, high = data["low"], data["high"]
            self.sliders.append(Slider(component.id, low, high, delta.fragment_id, is_live=True))
        elif kind == "slider" and not element.slider.disabled:
            slider = element.slider
            steps = tuple(slider.options)
            self.sliders.append(Slider(slider.id, slider.min, slider.max, delta.fragment_id, steps))

    def find(self, key: str) -> tuple[str, str]:
        """Return id and fragment of the button or component of a key."""
        return next(pair for pair in self.widgets.items() if pair[0].endswith(f"-{key}"))


class Visitor:
    """One open page: it can be turned, its sliders moved, and any message be sent.

    It comes with `with`, and leaves as a closed tab does.
    """

    def __init__(self, url: str, name: str = "", cookie: str = "") -> None:
        """`url` is that of the server; `name` is what the visitor's page calls it instead."""
        server = urlsplit(url)
        called = f"{name or server.hostname}:{server.port}"
        self.opening = connect(
            f"ws://{called}/_stcore/stream",
            address=(server.hostname, server.port),
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Origin": f"http://{called}", "Cookie": cookie},
            compression=None,
            max_size=None,
            proxy=None,
        )
        self.page, self.query = "", ""
        self.pages: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.socket = self.opening.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.opening.__exit__(*raised)

    def send(self, message: BackMsg) -> None:
        """Send any message."""
        self.socket.send(message.SerializeToString())

    def clear_caches(self) -> None:
        """Send what Streamlit's menu sends for "Clear caches"."""
        self.send(BackMsg(clear_cache=True))

    def turn(self, page: str = "", query: str = "") -> Turn:
        """Open a page by the name in its address, and wait for its end."""
        return self._ask(self.call(page, query))

    def call(self, page: str = "", query: str = "") -> BackMsg:
        """Return the message that opens a page."""
        self.page, self.query = page, query
        message = BackMsg()
        message.rerun_script.page_name, message.rerun_script.query_string = page, query
        return message

    def move(self, slider: Slider, value: float) -> Turn:
        """Move a slider of the open page, and wait for the end of what that runs."""
        message = self._begin(slider.fragment)
        state = message.rerun_script.widget_states.widgets.add(id=slider.id)
        if slider.is_live:
            state.json_value = json.dumps({"value": value, "rest": value})
        elif slider.steps:
            state.string_array_value.data.append(slider.steps[round(value)])
        else:
            state.double_array_value.data.append(value)
        return self._ask(message)

    def press(self, button: tuple[str, str]) -> Turn:
        """Press a button, given by id and fragment, whether it stands on the page or not."""
        message = self._begin(button[1])
        message.rerun_script.widget_states.widgets.add(id=button[0], trigger_value=True)
        return self._ask(message)

    def tell(self, component: tuple[str, str], event: str, value: Any) -> Turn:
        """Send what a component, given by id and fragment, would send for an event."""
        message = self._begin(component[1])
        message.rerun_script.widget_states.widgets.add(
            id=f"$$STREAMLIT_INTERNAL_KEY_{component[0]}__events",
            json_trigger_value=json.dumps([{"event": event, "value": value}]),
        )
        return self._ask(message)

    def _begin(self, fragment: str) -> BackMsg:
        """Return a message that runs the open page, or a fragment of it, once more."""
        message = BackMsg()
        client = message.rerun_script
        client.page_script_hash, client.query_string = self.pages[self.page], self.query
        client.fragment_id = fragment
        return message

    def _ask(self, message: BackMsg) -> Turn:
        turn, began = Turn(), time.monotonic()
        self.send(message)
        while True:
            raw = self.socket.recv(timeout=max(0.01, began + LONGEST_TURN - time.monotonic()))
            assert isinstance(raw, bytes)
            turn.bytes += len(raw)
            answer = ForwardMsg.FromString(raw)
            kind = answer.WhichOneof("type")
            if kind == "navigation":
                for page in answer.navigation.app_pages:
                    self.pages[page.url_pathname] = page.page_script_hash
            elif kind == "delta":
                turn.note(answer.delta)
            elif (
                kind == "script_finished"
                and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            ):
                turn.seconds = time.monotonic() - began
                return turn
