"""Chromium on a throwaway machine, driven from here: the distribution's packages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tenacity
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.webdriver import WebDriver
from urllib3.exceptions import HTTPError

from tests.lab.host import Host

_PORT = 9515
# It answers whoever reaches it: the lab's network ends at this machine.
_UNIT = f"""[Unit]
Description=chromedriver of the lab

[Service]
ExecStart=/usr/bin/chromedriver --port={_PORT} --allowed-ips= --allowed-origins=*
"""
# Root in a container has no sandbox of Chromium's, and little shared memory.
_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage")
_LOGS = {"browser": "ALL", "performance": "ALL"}
# Seconds for chromedriver to listen.
_START_TIMEOUT = 30.0


class Chromium:
    """A browser that opens the files of its host."""

    def __init__(self, host: Host) -> None:
        """Install it on a Debian host with systemd."""
        self.host = host
        host.install("chromium", "chromium-driver", "fonts-dejavu-core")
        host.put(_UNIT.encode(), "/etc/systemd/system/chromedriver.service")
        host.exec("systemctl daemon-reload && systemctl start chromedriver")

    @contextmanager
    def browse(self) -> Iterator[WebDriver]:
        """Start the browser, and end it."""
        options = webdriver.ChromeOptions()
        for argument in _ARGUMENTS:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", _LOGS)
        url = f"http://{self.host.ip}:{_PORT}"
        # A proxy of this machine's does not know the lab.
        config = ClientConfig(remote_server_addr=url, proxy=Proxy({"proxyType": ProxyType.DIRECT}))
        driver = self._connected(url, options, config)
        try:
            yield driver
        finally:
            driver.quit()

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type((HTTPError, WebDriverException)),
        stop=tenacity.stop_after_delay(_START_TIMEOUT),
        wait=tenacity.wait_fixed(0.5),
        reraise=True,
    )
    def _connected(self, url: str, options: webdriver.ChromeOptions, config: ClientConfig) -> WebDriver:
        return webdriver.Remote(command_executor=url, options=options, client_config=config)


def console(driver: WebDriver) -> list[str]:
    """Return what the browser's console was told since the last look."""
    return [str(entry["message"]) for entry in _log(driver, "browser")]


def requested(driver: WebDriver) -> list[str]:
    """Return the addresses that the browser asked for since the last look, those of its own data left out."""
    messages = [json.loads(entry["message"])["message"] for entry in _log(driver, "performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]


def emulate(driver: WebDriver, command: str, **parameters: Any) -> None:
    """Let the browser believe something, by a command of the DevTools protocol's domain Emulation."""
    driver.execute("executeCdpCommand", {"cmd": f"Emulation.{command}", "params": parameters})


def _log(driver: WebDriver, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = driver.execute(Command.GET_LOG, {"type": kind})["value"]
    return found
