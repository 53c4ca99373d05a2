"""From the sign-in link to the first figures, in a real browser on a real gateway."""

import re
import time
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.browsing import Complaints, chromium, overflow
from tests.gateway import Gateway
from tests.requirements import require

PASSWORD = "correct horse battery staple"  # noqa: S105


def send(gateway: Gateway, key: str, **changed: object) -> httpx.Response:
    body = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello, Claude"}]}
    return httpx.post(
        f"{gateway.address}/v1/messages",
        json=body | changed,
        headers={"x-api-key": key, "anthropic-version": "2023-06-01"},
        timeout=30,
    )


def come_in(page: Page, gateway: Gateway) -> None:
    """By a link of one's own: the printed one is somebody else's."""
    link = urlsplit(gateway.command("signin-link").stdout.split()[0])
    page.goto(f"{gateway.address}{link.path}")
    page.get_by_role("button", name="Sign in").click()


def make_key(page: Page, name: str) -> str:
    """Through the dialog; the secret, as the page shows it once."""
    page.get_by_role("link", name="Keys", exact=True).click()
    page.get_by_role("link", name="Create key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_text("30 days").click()
    dialog.get_by_role("button", name="Create key").click()
    expect(dialog.get_by_role("heading", name=f"“{name}” is ready")).to_be_visible()
    secret = dialog.locator("#secret").input_value()
    assert "disc" in dialog.locator("#secret").evaluate("one => getComputedStyle(one).webkitTextSecurity")
    dialog.get_by_role("button", name="Show").click()
    assert "none" in dialog.locator("#secret").evaluate("one => getComputedStyle(one).webkitTextSecurity")
    assert secret in dialog.locator("#snippet-1").inner_text()
    dialog.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_role("row", name=re.compile(name))).to_be_visible()
    return secret


@pytest.mark.timeout(240)
def test_from_the_link_to_a_key_to_its_figures(shared_gateway: Gateway) -> None:
    with chromium(require("chromium")) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        complaints = Complaints()
        complaints.watch(page)

        come_in(page, shared_gateway)
        if page.get_by_role("heading", name="Welcome").is_visible():
            page.get_by_role("link", name="Later").click()
        name = f"journey {time.monotonic_ns()}"
        secret = make_key(page, name)
        _nothing_is_left_of(page, secret)

        sent = send(shared_gateway, secret)
        assert sent.status_code == 200
        _the_log_explains(page, sent, name)
        _usage_is_drawn(page, name)
        _disabling_stops(page, shared_gateway, secret, name)
        assert complaints == []


def _nothing_is_left_of(page: Page, secret: str) -> None:
    """Not on the page, not in its address, not behind the Back button."""
    assert secret not in page.content()
    assert secret not in page.evaluate("JSON.stringify([history.state, {...localStorage}, {...sessionStorage}])")
    page.reload()
    assert secret not in page.content()
    page.go_back()
    page.wait_for_load_state()
    assert secret not in page.content()
    page.go_forward()


def _the_log_explains(page: Page, sent: httpx.Response, key_name: str) -> None:
    page.get_by_role("link", name="Logs", exact=True).click()
    request_id = sent.headers["request-id"]
    short = page.get_by_title(request_id)
    for _ in range(20):
        page.get_by_label("Request id").fill(request_id)
        page.keyboard.press("Enter")
        page.wait_for_timeout(250)
        if short.count():
            break
    expect(page).to_have_url(re.compile(request_id))
    short.click()
    expect(page.get_by_role("heading", name=request_id)).to_be_visible()
    expect(page.get_by_role("link", name=key_name)).to_be_visible()
    output = page.get_by_role("row", name=re.compile("^Output")).get_by_role("cell").first
    expect(output).to_have_text(str(sent.json()["usage"]["output_tokens"]))


def _usage_is_drawn(page: Page, key_name: str) -> None:
    page.get_by_role("link", name="Usage", exact=True).click()
    chart = page.locator("figure.chart[data-drawn='30'] canvas")
    expect(chart).to_be_visible()
    painted = chart.evaluate("one => new Set(one.getContext('2d').getImageData(0, 0, one.width, one.height).data).size")
    assert painted > 10, "the canvas is blank"

    page.get_by_label("Key", exact=True).select_option(label=key_name)

    expect(page.locator("dl.cards .card").first).to_contain_text(re.compile("Requests\\s*1$"))
    expect(page).to_have_url(re.compile("key=apikey_"))
    expect(page.locator("figure.chart[data-drawn='30'] canvas")).to_be_visible()
    page.locator(".plot").press("End")
    expect(page.locator("#announce")).to_contain_text("claude-sonnet-4-5")
    page.go_back()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")


def _disabling_stops(page: Page, gateway: Gateway, secret: str, name: str) -> None:
    page.get_by_role("link", name="Keys", exact=True).click()
    row = page.get_by_role("row", name=re.compile(name))
    row.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("row", name=re.compile(name))).to_contain_text("disabled")
    time.sleep(1)
    refused = send(gateway, secret)
    assert refused.status_code == 401
    page.get_by_role("row", name=re.compile(name)).get_by_role("button", name="Enable").click()
    expect(page.get_by_role("row", name=re.compile(name))).to_contain_text("active")
    time.sleep(1)
    assert send(gateway, secret).status_code == 200


@pytest.mark.timeout(240)
def test_every_room_fits_a_small_phone_and_reads_without_scripts(shared_gateway: Gateway) -> None:
    with chromium(require("chromium")) as browser:
        page = browser.new_page()
        come_in(page, shared_gateway)
        page.goto(f"{shared_gateway.address}/")
        base = page.url
        request = send(shared_gateway, shared_gateway.api_key, model="claude-opus-4-8")
        rooms = ["", "usage", "logs", "keys", "keys/new", f"logs/{request.headers['request-id']}"]
        _wait_for(page, f"{base}{rooms[-1]}")
        state = page.context.storage_state()

        for width, scripts, colours in ((320, True, "dark"), (320, False, "light"), (1280, False, "light")):
            _rooms_read_well(browser, state, base, rooms, width=width, scripts=scripts, colours=colours)


def _rooms_read_well(
    browser: Browser, state: object, base: str, rooms: list[str], *, width: int, scripts: bool, colours: str
) -> None:
    context = browser.new_context(
        storage_state=state,  # type: ignore[arg-type]
        viewport={"width": width, "height": 800},
        java_script_enabled=scripts,
        color_scheme=colours,  # type: ignore[arg-type]
    )
    page = context.new_page()
    for room in rooms:
        answer = page.goto(base + room)
        assert answer is not None
        assert answer.status == 200
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if scripts:
            assert overflow(page) == 0, room
        if room == "usage":
            expect(page.locator("table#groups")).to_contain_text("claude-opus-4-8")
    context.close()


def _wait_for(page: Page, address: str) -> None:
    for _ in range(40):
        answer = page.goto(address)
        if answer is not None and answer.status == 200:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{address} did not appear")
