"""The clients: one small program each, in the client's language, and how it is built and run."""

import asyncio
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "clients"
BUILD_SECONDS = 600
TOOLS = {
    "python": (),
    "node": ("node", "npm"),
    "go": ("go",),
    "java": ("java", "javac", "mvn"),
    "rust": ("cargo",),
}
"""What a language's `build` and its programs need on the PATH."""


@dataclass(frozen=True)
class Program:
    language: str
    name: str
    tools: tuple[str, ...] = ()

    @property
    def missing(self) -> str:
        """Why this machine cannot run it, if so."""
        needed = (*TOOLS[self.language], *self.tools)
        absent = [tool for tool in needed if shutil.which(tool) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""

    def command(self, folder: Path) -> list[str]:
        """Return how it is run, once its language is built in `folder`."""
        match self.language:
            case "python":
                return [sys.executable, "-m", f"tests.interop.clients.python.{self.name}"]
            case "node":
                return ["node", f"{folder / self.name}.mjs"]
            case "java":
                jars = (folder / "classpath").read_text().strip().split(":")
                path = [f"{folder / jar}" for jar in jars]
                return ["java", "-cp", ":".join([f"{folder / 'classes'}", *path]), self.name]
            case _:
                return [f"{folder / self.name}"]


PROGRAMS = {
    "curl": Program("python", "curl_client", ("curl",)),
    "requests": Program("python", "requests_client"),
    "httpx": Program("python", "httpx_client"),
    "aiohttp": Program("python", "aiohttp_client"),
    "http.client": Program("python", "http_client"),
    "fetch": Program("node", "fetch"),
    "undici": Program("node", "undici"),
    "axios": Program("node", "axios"),
    "node:http": Program("node", "http"),
    "Go": Program("go", "client"),
    "JDK HttpClient": Program("java", "JdkHttpClient"),
    "HttpURLConnection": Program("java", "JdkUrlConnection"),
    "OkHttp": Program("java", "OkHttp"),
    "Apache HttpClient": Program("java", "ApacheHttpClient"),
    "reqwest": Program("rust", "client"),
}


class Workshop:
    """Builds each language once, in a copy of its sources; downloads stay in its tools' caches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._builds: dict[str, asyncio.Task[Path]] = {}

    async def command(self, program: Program) -> list[str]:
        """Return how the program is run, once it is built."""
        language = program.language
        if language not in self._builds:
            self._builds[language] = asyncio.create_task(self._build(language))
        return program.command(await self._builds[language])

    async def _build(self, language: str) -> Path:
        folder = self.folder / language
        shutil.copytree(SOURCES / language, folder)
        if not (folder / "build").exists():
            return folder
        process = await asyncio.create_subprocess_exec(
            *("sh", "build"),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), BUILD_SECONDS)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            output = (await process.communicate())[0]
        # Without its registry a language cannot be built: its clients fail and show why.
        assert process.returncode == 0, f"the {language} clients: {output.decode()[-3000:]}"
        return folder
