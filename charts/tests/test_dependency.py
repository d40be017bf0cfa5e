"""The chart below another one, with a condition."""

import json
import subprocess

import pytest
import yaml

from conftest import CHART, Rendering

PARENT = {
    "apiVersion": "v2",
    "name": "platform",
    "version": "1.0.0",
}


@pytest.fixture
def parent(tmp_path):
    """Renders a chart that has this one as a conditional dependency, as the charts of whole platforms do."""

    def of(values, alias=None):
        chart = tmp_path / "platform"
        (chart / "charts").mkdir(parents=True)
        (chart / "charts" / "certorder").symlink_to(CHART)
        version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
        name = alias or "certorder"
        dependency = {"name": "certorder", "version": version, "condition": f"{name}.enabled"}
        if alias:
            dependency["alias"] = alias
        (chart / "Chart.yaml").write_text(yaml.safe_dump(PARENT | {"dependencies": [dependency]}))
        (chart / "values.yaml").write_text(yaml.safe_dump({name: {"enabled": True}, "global": {"imageRegistry": ""}}))
        command = ["helm", "template", "platform", str(chart), "--namespace", "platform", "--values", "-"]
        done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return Rendering(done.stdout)

    return of


def test_a_chart_above_may_switch_it_on(parent):
    out = parent({"certorder": {"replicaCount": 2}, "global": {"storageClass": "fast"}})
    deployment = out.one("Deployment")
    assert deployment["metadata"]["name"] == "platform-certorder"
    assert deployment["spec"]["replicas"] == 2
    assert len(out.all("CustomResourceDefinition")) == 2


def test_a_chart_above_may_switch_it_off(parent):
    assert not parent({"certorder": {"enabled": False}}).objects


def test_under_another_name(parent):
    out = parent({"orders": {"maxOrdersPerNamespace": 3}}, alias="orders")
    assert "--max-orders-per-namespace=3" in out.args
