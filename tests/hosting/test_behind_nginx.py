"""The app behind nginx, below a path and by a name, with the configuration of docs/hosting.md."""

import getpass
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.browser.explore_page import ExplorePage
from tests.chromium import FLAGS
from tests.datasets.own.cases import encode, pack
from tests.serving import free_port

pytestmark = [pytest.mark.integration, pytest.mark.browser]

ROOT = Path(__file__).resolve().parents[2]
NAME = "vae.example.org"
REST = """
daemon off; user {user}; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""


def documented() -> str:
    """Return the `location` that docs/hosting.md tells people to write."""
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^    location /vae/ \{\n(?:     .*\n)+    \}$", text, re.MULTILINE)
    return block


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address by which nginx hands on what a browser asks."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("nginx is not installed: the app was NOT tried behind it.")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "runs").mkdir()
    server = Server(
        folder / "runs",
        flags=f"--port {{port}} --no-browser --base-path /vae --allow-host {NAME}",
        health="/vae/_stcore/health",
    )
    port = free_port()
    location = documented().replace("127.0.0.1:8501", f"127.0.0.1:{server.port}")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        REST.format(folder=folder, port=port, location=location, user=getpass.getuser()),
        encoding="utf-8",
    )
    proxy = subprocess.Popen([nginx, "-c", configuration])
    _wait_for(f"http://127.0.0.1:{port}/vae/_stcore/health")
    yield f"http://{NAME}:{port}/vae"
    proxy.terminate()
    proxy.wait(10)
    server.stop()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture
def page(chromium):
    """A page in a browser that takes NAME for this machine."""
    browser = chromium.browser_type.launch(
        executable_path=next(filter(None, map(shutil.which, ("chromium", "google-chrome")))),
        args=[*FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"],
    )
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    yield page
    browser.close()


def test_explore_opens_and_its_socket_stays(address, page):
    sockets: list[str] = []
    refused: list[str] = []
    page.on("websocket", lambda socket: sockets.append(urlsplit(socket.url).path))
    page.on("response", lambda told: refused.extend([told.url] * (told.status >= 400)))
    explore = ExplorePage(page, f"{address}/?model=mnist-2d")
    assert sockets == ["/vae/_stcore/stream"]
    assert refused == [] and explore.errors == []


def test_files_are_handed_over(address, page, tmp_path):
    # Beyond the megabyte that nginx takes unless it is told more.
    noise = np.random.default_rng(0).integers(0, 256, (120, 64, 64, 3), np.uint8)
    members = [(f"cat/{i}.png", encode(Image.fromarray(n), "PNG")) for i, n in enumerate(noise)]
    pets = pack(tmp_path / "pets.zip", members)
    assert pets.stat().st_size > 1_000_000
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Your own images").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(pets)
    dialog.get_by_role("button", name="Read", exact=True).click()
    expect(dialog.get_by_text("120 images of 64 × 64 pixels")).to_be_visible(timeout=60_000)


def test_another_name_is_refused(address, page):
    port = urlsplit(address).port
    answer = page.goto(f"http://127.0.0.1:{port}/vae/", wait_until="commit")
    assert answer.ok, "an address in figures is this machine's"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/vae/", headers={"Host": "strange.example.org"}
    )
    with pytest.raises(urllib.error.HTTPError, match="40[03]"):
        urllib.request.urlopen(request, timeout=10)
