"""Installed, upgraded and uninstalled by real Helm on a real API server: CERTORDER_TEST_KUBECONFIG names it."""

import json
import os
import subprocess
import uuid

import pytest

from conftest import CHART, CHARTS

KUBECONFIG = os.environ.get("CERTORDER_TEST_KUBECONFIG")
pytestmark = pytest.mark.skipif(not KUBECONFIG, reason="CERTORDER_TEST_KUBECONFIG is not set")

# Every option that adds an object, but for kinds that a cluster may lack, and policies, which would bind everybody.
MUCH = {
    "replicaCount": 2,
    "podDisruptionBudget": {"enabled": True},
    "caBundle": {"configMapName": "roots"},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "policies": {"domains": {"enabled": True, "namespaceSelector": {"matchLabels": {"nobody": "has-this"}}}},
}


def run(*command, values=None):
    text = json.dumps(values) if values is not None else None
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=os.environ | {"KUBECONFIG": KUBECONFIG})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def release():
    name = f"chart-{uuid.uuid4().hex[:8]}"
    yield name
    subprocess.run(["helm", "uninstall", name, "-n", name], env=os.environ | {"KUBECONFIG": KUBECONFIG}, capture_output=True)
    run("kubectl", "delete", "namespace", name, "--wait=false", "--ignore-not-found")


def objects(release):
    everything = "deployment,service,serviceaccount,role,rolebinding,networkpolicy,poddisruptionbudget"
    found = json.loads(run("kubectl", "-n", release, "get", everything, "-o", "json"))["items"]
    return {(item["kind"], item["metadata"]["name"]) for item in found}


def test_install_upgrade_and_uninstall(release):
    # The CRDs may be there already, applied by somebody else. No Pod: the image of this version need not exist.
    install = ["helm", "upgrade", "--install", release, str(CHART), "-n", release, "--create-namespace", "--values", "-"]
    install += ["--take-ownership", "--force-conflicts"]
    run(*install, values={"replicaCount": 0})
    name = f"{release}-certorder"
    assert ("Deployment", name) in objects(release)
    assert ("PodDisruptionBudget", name) not in objects(release)
    run(*install, values=MUCH | {"replicaCount": 0})
    assert ("PodDisruptionBudget", name) in objects(release)
    for verb, allowed in (("list", "yes"), ("create", "yes"), ("delete", "no")):
        answer = subprocess.run(
            ["kubectl", "auth", "can-i", verb, "secrets", "-n", "default", "--as", f"system:serviceaccount:{release}:{name}"],
            env=os.environ | {"KUBECONFIG": KUBECONFIG}, capture_output=True, text=True,
        ).stdout.strip()
        assert answer == allowed, verb
    run("helm", "uninstall", release, "-n", release)
    assert ("Deployment", name) not in objects(release)
    # What was paid for stays, and so do the claims.
    run("kubectl", "get", "crd", "certificateorders.certorder.dev", "organizationprofiles.certorder.dev")
    run("kubectl", "get", "namespace", "certorder-claims")


@pytest.mark.parametrize("values", [{}, MUCH, {"watchNamespaces": ["default"]}])
def test_the_api_server_knows_every_field(release, values):
    run("kubectl", "create", "namespace", release)
    # A dry run makes no namespace for the objects in it.
    run("kubectl", "apply", "--server-side", "--force-conflicts", "-f", str(CHARTS.parent / "deploy/crds/claims-namespace.yaml"))
    text = run("helm", "template", release, str(CHART), "-n", release, "--no-hooks", "--values", "-", values=values)
    command = ["kubectl", "apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts", "-f", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=os.environ | {"KUBECONFIG": KUBECONFIG})
    assert done.returncode == 0, done.stderr
