"""A page that is being left is not listened to: what it still says would undo the leaving.

Until the first message of the page that was asked for has come, the one before stands in the
browser, and speaks: its clock ticks, the hand's last place is told. Streamlit would run that after
the new page, and for the one before: an empty page stays, or the old one. What a plain widget of
the whole page says cannot be told from asking for that page, and is listened to.
"""

import time
from collections.abc import Callable

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

STREAM = "_stcore/stream"
PATIENCE_SECONDS = 10.0
"""For so long after a page was asked for, or has opened, another one is not listened to."""
LONGEST_OPENING = 1 << 16
"""A message that opens a page is shorter, in bytes; longer ones are not read."""
TRIGGERS = {"trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value"}


class Leaving:
    """ASGI middleware: between browser and Streamlit, it leaves out what a left page says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a socket on, without what is overtaken; requests as they are."""
        if scope["type"] != "websocket" or not scope["path"].endswith(STREAM):
            return await self.app(scope, receive, send)
        departure = Departure()

        async def listen() -> Message:
            while True:
                message = await receive()
                said = message.get("bytes") if message["type"] == "websocket.receive" else None
                if not said or not departure.is_overtaken(said):
                    return message

        async def tell(message: Message) -> None:
            if told := message.get("bytes"):
                departure.see(told)
            await send(message)

        await self.app(scope, listen, tell)


class Departure:
    """Which page one browser is on or was asked to leave for: what others say comes too late."""

    def __init__(self, tell_time: Callable[[], float] = time.monotonic) -> None:
        self._tell_time = tell_time
        self._page = ""
        """By Streamlit's hash of its script; "" before the first."""
        self._shown = ""
        """The page that was opened last."""
        self._is_awaited = False
        self._until = 0.0

    def is_overtaken(self, said: bytes) -> bool:
        """Tell whether a message of the browser (a BackMsg) is of a page that is being left."""
        message = BackMsg()
        try:
            message.ParseFromString(said)
        except DecodeError:  # Streamlit answers that.
            return False
        if message.WhichOneof("type") != "rerun_script":
            return False
        state = message.rerun_script
        if is_of_a_part(state):
            return state.page_script_hash != self._page and self._is_fresh()
        self._turn_to(state.page_script_hash)
        # Whoever turns back at once is sent the page that was asked for in between all the same.
        self._is_awaited = self._is_awaited or self._page != self._shown
        return False

    def see(self, told: bytes) -> None:
        """Note a message for the browser (a ForwardMsg), where it opens a page."""
        if len(told) > LONGEST_OPENING:
            return
        message = ForwardMsg()
        message.ParseFromString(told)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._shown = message.navigation.page_script_hash
        elif kind == "new_session" and self._page and not message.metadata.run.fragment_ids:
            self._shown = message.new_session.page_script_hash
        else:  # Where no page was named, the session begins as of main.py and is then led on.
            return
        if self._is_awaited and self._shown != self._page and self._is_fresh():
            return  # What the page before said in time is run before the one that is awaited.
        if self._is_awaited or self._shown != self._page:
            self._turn_to(self._shown)
        self._is_awaited = False

    def _turn_to(self, page: str) -> None:
        self._page = page
        self._until = self._tell_time() + PATIENCE_SECONDS

    def _is_fresh(self) -> bool:
        return bool(self._page) and self._tell_time() < self._until


def is_of_a_part(state: ClientState) -> bool:
    """Tell whether a part of a page asks to be run, or something on it was pressed."""
    return bool(state.fragment_id) or any(
        widget.WhichOneof("value") in TRIGGERS for widget in state.widget_states.widgets
    )
