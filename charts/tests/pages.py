"""Reads the pages that people follow, and runs what they tell people to type."""

import os
import pathlib
import re
import subprocess

from conftest import CHART, CHARTS

TOP = CHARTS.parent
# Where a page installs the chart from, and what takes its place.
PUBLISHED = "oci://ghcr.io/certorder/charts/certorder"
# Commands that need a node for a Pod, or another tool.
NEEDS_MORE = re.compile(r"^(helm test|docker|kind|cargo|cosign|gh|kubectl .*rollout status|sops) ?")


class Page:
    """One page, by its sections."""

    def __init__(self, name):
        self.name = name
        self.text = (TOP / name).read_text()

    def section(self, title):
        """The text below a heading, to the next one of any level."""
        found, here, fenced = [], False, False
        for line in self.text.splitlines(keepends=True):
            fenced ^= line.lstrip().startswith("```")
            if not fenced and re.match("#+ ", line):
                here = line.lstrip("#").strip() == title
            elif here:
                found.append(line)
        assert found, f"{self.name} has no section {title}"
        return "".join(found)

    def blocks(self, title, language):
        """The blocks of one language in a section; indentation of a list is taken off."""
        return self._blocks(self.section(title), language)

    def all_blocks(self, language):
        """The same of the whole page."""
        return self._blocks(self.text, language)

    @staticmethod
    def _blocks(text, language):
        found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
        return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]

    def commands(self, title):
        """Each command of a section: it begins with `$ `, and goes on to the next one."""
        found = []
        for block in self.blocks(title, "console"):
            assert block.startswith("$ "), f"{self.name}, {title}: {block}"
            block = re.sub(r" *\\\n *", " ", block)
            found += [text.strip() for text in re.split(r"^\$ ", block, flags=re.MULTILINE) if text.strip()]
        return found


def pages():
    """Every page that has commands."""
    found = [TOP / "README.md", CHART / "README.md", *sorted((TOP / "docs").rglob("*.md"))]
    return [Page(str(path.relative_to(TOP))) for path in found]


class Shell:
    """Types commands in a folder of its own, where the repository's folders are found as in a clone."""

    def __init__(self, directory, kubeconfig, chart=CHART):
        self.directory = pathlib.Path(directory)
        self.environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
        self.chart = chart
        for folder in ("charts", "deploy", "docs", "examples", "crds"):
            (self.directory / folder).symlink_to(TOP / folder)

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def attempt(self, command, timeout=90):
        command = command.replace(PUBLISHED, str(self.chart))
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=self.directory, env=self.environment, timeout=timeout,
            capture_output=True, text=True,
        )

    def type(self, command, timeout=90):
        done = self.attempt(command, timeout)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, commands):
        """Types what a page says, but for what needs more than an API server."""
        typed = [command for command in commands if not NEEDS_MORE.match(command)]
        for command in typed:
            self.type(command)
        return typed
