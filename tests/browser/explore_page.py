"""What the Explore tests share: small runs to look at, and a hand on the page."""

from pathlib import Path
from typing import Any

from explorer.config import ObjectiveConfig
from explorer.runs.run import Run
from explorer.training.loop import train
from tests.small_run import change, make_config
from tests.waiting import wait_for_script, wait_until

MAP = "document.querySelector('.st-key-explore_map [data-testid=stBidiComponentIsolated]')"
"""The map's host among the components of a page."""

ASK = (
    "([source, arg]) => { const host = "
    + MAP
    + """;
      const app = (host ? host.shadowRoot?.querySelector('.lx')
                        : document.querySelector('#explorer'))?.explorer;
      if (!app) return undefined;
      return Function('app', 's', 'arg', `return (${source})`)(app, app.store.state, arg);
    }"""
)

TWO_PAINTS = """new Promise((done) => {
  const then = (next) => requestAnimationFrame(() => setTimeout(next));
  then(() => then(done));
})"""

MODELS: dict[str, dict[str, Any]] = {
    "two": {"hidden": (48, 32)},
    "two-high": {"hidden": (48, 32)},
    "conv": {"network": "conv", "hidden": (8, 16), "latent_dim": 6},
    "one": {"hidden": (16,), "latent_dim": 1},
    "many": {"hidden": (64,), "latent_dim": 128},
    "point": {"hidden": (16,), "latent": "point"},
    "pixel": {"hidden": (16,), "likelihood": "gaussian-pixel"},
    "cb": {"hidden": (16,), "likelihood": "continuous-bernoulli"},
    "large": {"hidden": (2000, 1500)},
}


def ensure_run(folder: Path, name: str) -> Run:
    """Return a briefly trained run of MODELS[name] on the digits, made at first use."""
    betas = {"two-high": 4.0}
    path = folder / name
    if (path / "codes.npz").is_file():
        return Run(path, name)
    steps = {"large": 3, "two": 500}.get(name, 40)
    objective = ObjectiveConfig(beta=betas.get(name, 1.0), schedule="linear")
    train(change(make_config(steps, **MODELS[name]), objective=objective), path)
    return Run(path, name)


COUNT_SENT = """() => {
  window.sent = 0;
  window.send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...given) {
    window.sent++;
    return window.send.apply(this, given);
  };
}"""
"""How often the page has spoken to Streamlit since."""
STOP_COUNTING = "() => { WebSocket.prototype.send = window.send; }"


class ExplorePage:
    """The Explore page of one run, by what a visitor does and what the page's state says."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.open()

    def open(self) -> None:
        """Load the page, as it is before anything was done to it."""
        self.is_spoilt = False
        self.errors.clear()
        # A page behind another one gets a frame a second.
        self.page.bring_to_front()
        # What the canvas asks for is held back by some tests, and the load event waits for it.
        self.page.goto(self.address, wait_until="commit")
        self.opened()

    def opened(self) -> None:
        """Wait until the map stands there, and Python has nothing more to send."""
        # The first page of a server waits for its imports, and for scripts that no cache has.
        self.until("app.painted > 0", timeout=120_000)
        if self.ask("app.host.kind === 'streamlit'"):
            wait_for_script(self.page)
            # Once it is painted, it asks for its sweep, and the script runs again.
            self.page.evaluate(TWO_PAINTS)
            wait_for_script(self.page)
        self.settle()

    def ask(self, expression: str, argument: Any = None) -> Any:
        """Evaluate `expression` with `app`, `s` (the state) and `arg` at hand."""
        return self.page.evaluate(ASK, [expression, argument])

    def until(self, expression: str, argument: Any = None, timeout: float = 30_000) -> None:
        """Wait until `expression` holds, with `app`, `s` and `arg` at hand."""
        # Asked from outside: the policy of an exported page lets nobody wait in it.
        wait_until(lambda: self.ask(expression, argument), timeout / 1000)

    def z(self) -> list[float]:
        return self.ask("Array.from(s.z)")

    def output(self) -> list[int]:
        """The decoded picture as it stands on the canvas: red values, row by row."""
        return self.ask(
            "(() => { const c = app.root.querySelector('[data-role=output]');"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " return Array.from({length: c.width * c.height}, (_, i) => d[4 * i]); })()"
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where the plane's point (x, y) lies on the screen."""
        box = self.page.locator(".map canvas.overlay").bounding_box()
        at = self.ask("[app.map.view.toScreenX(arg[0]), app.map.view.toScreenY(arg[1])]", [x, y])
        return box["x"] + at[0], box["y"] + at[1]

    def hover(self, x: float, y: float) -> None:
        self.page.mouse.move(*self.place(x, y))
        self.settle()

    def click(self, x: float, y: float, shift: bool = False) -> None:
        if shift:
            self.page.keyboard.down("Shift")
        self.page.mouse.click(*self.place(x, y))
        if shift:
            self.page.keyboard.up("Shift")
        self.settle()

    def choose(self, name: str) -> None:
        """Open another model from the page's menu."""
        self.page.locator("[data-role=model]").select_option(name)
        self.until("app.header.id === arg", name)

    def settle(self) -> None:
        """Wait until what was set is drawn: nothing waits for a frame or for the server."""
        self.ask(
            "(async () => { const frame = () => new Promise(requestAnimationFrame);"
            " do { await frame(); await frame(); }"
            " while (app.store.frame || app.map.frame || app.model.waiting?.size); })()"
        )

    def rest(self) -> None:
        """Wait until the map has come to rest and all its tiles are decoded."""
        self.ask(
            "new Promise((done) => { const told = app.viewSettled; app.viewSettled = () => {"
            " app.viewSettled = told; told?.(); done(); };"
            " app.map.viewChanged(!app.map.fitted); })"
        )
        self.until("app.map.tiles.done")
        self.settle()

    def fresh(self) -> None:
        """Bring the page back to how it opens, without loading it again."""
        self.page.bring_to_front()
        self.page.mouse.move(5, 5)
        self.ask(
            "(() => { app.closePopups?.(); const { members, member, models, input } = s;"
            " app.store.set({ ...app.initialState(), members, member, models, input });"
            " app.choosePicture(0); app.map.fit(); app.store.flush(); })()"
        )
        self.settle()

    def press(self, action: str) -> None:
        self.page.locator(f"[data-action={action}]:visible").first.click()
        self.settle()

    def ink(self, canvas: str, box: list[float] | None = None) -> int:
        """How many pixels of a map canvas ("base" or "top") are not empty."""
        return self.ask(
            "(() => { const c = app.map[arg[0]], b = arg[1] || [0, 0, c.width, c.height];"
            " const d = c.getContext('2d').getImageData(...b).data; let n = 0;"
            " for (let i = 3; i < d.length; i += 4) n += d[i] > 8; return n; })()",
            [canvas, box],
        )


class Finger:
    """A finger on the map of the small run, on a page as narrow as a phone."""

    def __init__(self, page: Any, address: str) -> None:
        self.hand = page.context.new_cdp_session(page)
        self.become(is_phone=False)
        self.hand.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        self.view = ExplorePage(page, address)

    def become(self, is_phone: bool) -> None:
        """Scroll as a phone does, or as a narrow window of a screen that feels fingers."""
        screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": is_phone}
        self.hand.send("Emulation.setDeviceMetricsOverride", screen)

    def touch(self, kind: str, *at: float) -> None:
        points = [dict(zip("xy", at, strict=True))] if at else []
        self.hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(self, up: float) -> None:
        x, y = self.view.place(0.5, 0.0)
        self.touch("touchStart", x, y)
        for step in range(1, 16):
            self.touch("touchMove", x, y - up * step / 15)
            self.view.page.evaluate("() => new Promise(requestAnimationFrame)")
        self.touch("touchEnd")
        self.view.settle()
