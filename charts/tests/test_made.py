"""What is made from the chart is fresh, and gives the same."""

import filecmp
import pathlib
import subprocess
import tempfile

import yaml

from conftest import CHARTS, helm_template

TOP = CHARTS.parent
OF_HELM = {"helm.sh/chart", "app.kubernetes.io/managed-by", "helm.sh/resource-policy"}


def test_deploy_and_the_readme_are_fresh():
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([str(CHARTS / "generate"), scratch], check=True)
        made = {path.relative_to(scratch) for path in pathlib.Path(scratch).rglob("*") if path.is_file()}
        there = {path.relative_to(TOP) for path in (TOP / "deploy").rglob("*") if path.is_file()}
        assert there == {path for path in made if path.parts[0] == "deploy"}
        for path in made:
            assert filecmp.cmp(pathlib.Path(scratch) / path, TOP / path, shallow=False), f"{path} is stale: charts/generate"


def strip(metadata):
    """Takes away what Helm says of itself."""
    for field in ("labels", "annotations"):
        kept = {key: value for key, value in metadata.get(field, {}).items() if key not in OF_HELM}
        metadata.pop(field, None)
        if kept:
            metadata[field] = kept


def plain(item):
    metadata = item["metadata"]
    strip(metadata)
    if item["kind"] == "Deployment":
        strip(item["spec"]["template"]["metadata"])
    return (item["kind"], metadata.get("namespace"), metadata["name"]), item


def kustomize(directory):
    command = ["kubectl", "kustomize", str(TOP / directory)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(plain(item) for item in yaml.safe_load_all(text))


def of_chart(values):
    # Without Helm there is no Pod of `helm test` that the policy would admit.
    objects = helm_template(values | {"test": {"enabled": False}}, "--no-hooks").objects
    return dict(plain(item) for item in objects)


def test_kustomize_gives_what_the_chart_gives_and_the_namespace():
    built = kustomize("deploy")
    namespace = built.pop(("Namespace", None, "certorder"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert built == of_chart({})


def test_kustomize_for_one_namespace_gives_what_the_chart_gives():
    built = kustomize("deploy/namespaced")
    built.pop(("Namespace", None, "certorder"))
    assert built == of_chart({"watchNamespaces": ["shop"], "crds": {"enabled": False}})


def test_no_plain_manifest_says_that_helm_manages_it():
    for path in (TOP / "deploy").rglob("*.yaml"):
        text = path.read_text()
        assert "managed-by: Helm" not in text and "helm.sh/" not in text, path
