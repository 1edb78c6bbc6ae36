"""The report of the fault matrix in a real browser: Debian's Chromium opens the file and clicks through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests import lab
from tests.lab.chromium import Chromium, console, emulate, requested
from tests.machines import DEFAULT_SYSTEM
from tests.matrix.example import FAULTS, SERVERS, cells, results
from tests.matrix.report import write_report
from tests.matrix.results import Result
from tests.matrix.summary import CLASSES, RASA, STEADFAST

PAGE = "/srv/report/faults.html"
# A cell that lost turns, and the one beside it.
LOSES, KEEPS = f"mysql/{RASA}/server-kill", f"mysql/{STEADFAST}/server-kill"
LEFT_OUT = f"sqlite/{RASA}/server-kill"
DESKTOP, PHONE = (1280, 900), (390, 844)
SECONDS = 10


@pytest.fixture(scope="module")
def runs() -> dict[str, Result]:
    """Make the runs that the page shows, by the names of their cells."""
    return {"/".join(result.key): result for result in results()}


@pytest.fixture(scope="module")
def chromium(
    start: Callable[..., lab.Host], runs: dict[str, Result], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebDriver]:
    """Start a browser on a host that has the page, and nothing of what it is made of."""
    host = start(DEFAULT_SYSTEM, "browser")
    page = write_report(runs.values(), cells(), tmp_path_factory.mktemp("report"), "0123456789ab")
    host.put(page, PAGE)
    with Chromium(host).browse() as driver:
        yield driver


@pytest.fixture()
def page(chromium: WebDriver) -> Iterator[WebDriver]:
    """Open the page; whatever a test did, it has asked for nothing else, and the console is empty."""
    width, height = DESKTOP
    emulate(chromium, "setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    prefer(chromium, "light")
    chromium.get("about:blank")
    chromium.get(f"file://{PAGE}")
    yield chromium
    assert console(chromium) == []
    assert requested(chromium) == [f"file://{PAGE}"]


def prefer(driver: WebDriver, theme: str) -> None:
    """Let the system have a light or a dark theme."""
    emulate(driver, "setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])


def find(driver: WebDriver, selector: str) -> WebElement:
    """Return the first element that a selector of CSS finds."""
    return driver.find_element(By.CSS_SELECTOR, selector)


def count(driver: WebDriver, selector: str) -> int:
    """Count what a selector of CSS finds."""
    return len(driver.find_elements(By.CSS_SELECTOR, selector))


def cell(driver: WebDriver, key: str) -> WebElement:
    """Return the button of a cell of the matrix."""
    return find(driver, f".matrix [data-key='{key}']")


def has_picture(driver: WebDriver) -> bool:
    """Tell whether the timeline is drawn as wide as its place; in one step, since another width has it drawn anew."""
    return bool(
        driver.execute_script(
            "const svg = document.querySelector('.chart svg');"
            "return svg !== null && svg.getBoundingClientRect().width === Math.max(280, svg.parentElement.clientWidth)"
        )
    )


def open_cell(driver: WebDriver, key: str) -> None:
    """Click on a cell that was run, and wait for its picture."""
    cell(driver, key).click()
    WebDriverWait(driver, SECONDS).until(has_picture)


def drawn(driver: WebDriver, kind: str) -> int:
    """Count the marks of a kind in the timeline: each turn has one among its user's and one among the waits.

    The pen is put down once for each, by an `M`.
    """
    paths = driver.find_elements(By.CSS_SELECTOR, f".chart .mark[data-kind='{kind}']")
    return sum(str(path.get_dom_attribute("d")).count("M") for path in paths) // 2


def background(driver: WebDriver) -> str:
    """Return the colour of the page."""
    return find(driver, "body").value_of_css_property("background-color")


def has_focus(driver: WebDriver) -> str:
    """Return the name of the cell that has the keyboard; empty for anything else."""
    return str(driver.switch_to.active_element.get_dom_attribute("data-key") or "")


def test_matrix_has_every_cell_by_name(page: WebDriver) -> None:
    """Faults are rows, stores are columns, and each cell says what it is without its colour."""
    assert "No turn was lost, doubled or misplaced, so far." in find(page, "h1").text
    assert count(page, ".matrix tbody tr") == len(FAULTS)
    assert count(page, ".matrix button.cell") == len(FAULTS) * len(SERVERS) * len(CLASSES)
    names = [str(each.accessible_name) for each in page.find_elements(By.CSS_SELECTOR, ".matrix button.cell")]
    assert len(set(names)) == len(names)
    lost = int(cell(page, LOSES).text.split()[-1])
    assert f"kill -9 of the server, MySQL 9.7.0, Rasa's own class: {lost} lost" in str(
        cell(page, LOSES).accessible_name
    )
    assert cell(page, KEEPS).text.split() == ["✓", "0"]


def test_click_shows_every_turn_of_a_cell(page: WebDriver, runs: dict[str, Result]) -> None:
    """As marks of its kind, with the faults as bands, the sentences of the checks, and the command."""
    run = runs[LOSES]
    open_cell(page, LOSES)
    assert find(page, "dialog h2").text == run.title
    wrong = run.counts.lost + run.counts.doubled + run.counts.out_of_order
    assert run.counts.lost > 0
    assert drawn(page, "lost") == run.counts.lost
    assert drawn(page, "acknowledged") == run.counts.acknowledged - wrong
    # Above, and below in the picture of the waits.
    assert count(page, ".chart rect.fault") == 2 * len(run.bands)
    assert count(page, ".chart rect.cure") == 2 * len(run.bands)
    assert run.verdicts[0].details[0] in find(page, ".checks").text
    assert count(page, ".rounds tbody tr") == len(run.recovery)
    assert find(page, ".command code").text == run.command
    find(page, ".command button").click()
    WebDriverWait(page, SECONDS).until(lambda _: find(page, ".command button").text in ("Copied", "Selected"))


def test_turn_that_is_pointed_at_is_told(page: WebDriver, runs: dict[str, Result]) -> None:
    """By the pointer, and by the keyboard; a part of the run can be looked at on its own."""
    open_cell(page, LOSES)
    every = drawn(page, "acknowledged")
    Select(find(page, "select[aria-label='Part of the run']")).select_by_visible_text("fault 2")
    assert 0 < drawn(page, "acknowledged") < every
    assert count(page, ".chart rect.fault") == 2
    Select(find(page, "select[aria-label='Part of the run']")).select_by_visible_text("whole run")
    picture = find(page, ".chart svg")
    picture.send_keys(Keys.HOME)
    first = min(runs[LOSES].turns, key=lambda turn: turn.started)
    assert f"{first.sender} “{first.text}”" in find(page, ".readout").text
    page.execute_script("arguments[0].scrollIntoView()", picture)
    ActionChains(page).move_to_element(picture).perform()
    ActionChains(page).move_to_element_with_offset(picture, 40, -100).perform()
    assert first.text not in find(page, ".readout").text
    assert "answered in" in find(page, ".readout").text


def test_classes_are_compared_by_one_click(page: WebDriver) -> None:
    """The same fault on the same store."""
    open_cell(page, LOSES)
    find(page, f"dialog [data-class={STEADFAST}]").click()
    WebDriverWait(page, SECONDS).until(has_picture)
    assert "Nothing lost" in find(page, "dialog .said").text
    assert drawn(page, "lost") == 0
    assert page.current_url.endswith(f"#{KEEPS}")


def test_keyboard_alone_is_enough(page: WebDriver) -> None:
    """The matrix is one stop of the tab key; arrows go through it, Enter opens a cell, Escape goes back to it."""
    cell(page, f"mysql/{RASA}/server-restart").send_keys(Keys.NULL)
    keys = ActionChains(page)
    keys.send_keys(Keys.ARROW_DOWN).perform()
    assert has_focus(page) == LOSES
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert has_focus(page) == KEEPS
    keys.send_keys(Keys.HOME).perform()
    assert has_focus(page) == f"redis/{RASA}/server-kill"
    keys.send_keys(Keys.ENTER).perform()
    assert find(page, "dialog").is_displayed()
    keys.send_keys(Keys.ESCAPE).perform()
    WebDriverWait(page, SECONDS).until(lambda _: not find(page, "dialog").is_displayed())
    assert has_focus(page) == f"redis/{RASA}/server-kill"
    assert count(page, ".matrix button.cell[tabindex='0']") == 1


def test_cell_that_is_left_out_says_why(page: WebDriver) -> None:
    """When it is pointed at, when it is opened, and in the list."""
    reason = "SQLite is a file of the bot's: there is no server to break."
    assert not find(page, "#tip").is_displayed()
    ActionChains(page).move_to_element(cell(page, LEFT_OUT)).perform()
    WebDriverWait(page, SECONDS).until(lambda _: find(page, "#tip").is_displayed())
    assert reason in find(page, "#tip").text
    assert reason in find(page, ".reasons").text
    cell(page, LEFT_OUT).click()
    assert reason in find(page, "dialog .said").text
    assert count(page, "dialog .command") == 0


def test_theme_is_the_systems_or_the_buttons(page: WebDriver) -> None:
    """Whichever was said last by the user."""
    light = background(page)
    prefer(page, "dark")
    dark = background(page)
    assert dark != light
    find(page, "#theme").click()
    assert background(page) == light
    find(page, "#theme").click()
    assert background(page) == dark
    prefer(page, "light")
    assert background(page) == dark


def test_numbers_can_be_the_recovery(page: WebDriver, runs: dict[str, Result]) -> None:
    """The slowest of the rounds."""
    find(page, "[data-view=recovery]").click()
    slowest = max(each.first_acknowledged or 0.0 for each in runs[KEEPS].recovery)
    assert cell(page, KEEPS).text.split() == ["✓", f"{slowest:.1f}", "s"]


def test_phone_scrolls_the_matrix_only(page: WebDriver) -> None:
    """The page and an opened cell are as wide as the screen."""
    width, height = PHONE
    emulate(page, "setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
    assert page.execute_script("return document.documentElement.scrollWidth") == width
    open_cell(page, LOSES)
    assert 250 < find(page, ".chart svg").size["width"] < width
    assert page.execute_script("return document.querySelector('dialog').scrollWidth") <= width


def test_link_opens_a_cell(page: WebDriver) -> None:
    """So that it can be sent to somebody."""
    page.get("about:blank")
    page.get(f"file://{PAGE}#{LOSES}")
    assert "lost of" in find(page, "dialog .said").text
    assert set(requested(page)) == {f"file://{PAGE}"}
    page.get("about:blank")
    page.get(f"file://{PAGE}")
