"""Renders the chart with real Helm."""

import json
import pathlib
import subprocess

import pytest
import yaml

CHARTS = pathlib.Path(__file__).resolve().parent.parent
CHART = CHARTS / "certorder"


class Refused(Exception):
    """Helm did not render; the text says why."""


class Rendering:
    """The objects of one rendering."""

    def __init__(self, text):
        self.text = text
        self.objects = [item for item in yaml.safe_load_all(text) if item]

    def all(self, kind):
        return [item for item in self.objects if item["kind"] == kind]

    def one(self, kind, name=None):
        found = [item for item in self.all(kind) if name in (None, item["metadata"]["name"])]
        assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
        return found[0]

    @property
    def pod(self):
        return self.one("Deployment")["spec"]["template"]["spec"]

    @property
    def container(self):
        [container] = self.pod["containers"]
        return container

    @property
    def args(self):
        return self.container["args"]


def helm_template(values=None, *arguments, release="certorder", namespace="certorder"):
    command = ["helm", "template", release, str(CHART), "--namespace", namespace, "--values", "-", *arguments]
    done = subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr)
    return Rendering(done.stdout)


@pytest.fixture
def render():
    return helm_template


@pytest.fixture
def refusal():
    def refuse(values, *arguments):
        with pytest.raises(Refused) as caught:
            helm_template(values, *arguments)
        return str(caught.value)

    return refuse
