"""What everybody gets who sets nothing."""

import pytest
import yaml

from conftest import CHART, helm_template


@pytest.fixture(scope="module")
def default():
    return helm_template()


def test_there_is_what_the_operator_needs_and_nothing_else(default):
    kinds = sorted(item["kind"] for item in default.objects)
    assert kinds == sorted(
        ["NetworkPolicy", "ServiceAccount", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "Deployment", "Pod"]
        # The claims: where they stand, and what the operator may do there.
        + ["Namespace", "Role", "RoleBinding"]
        # What of Secrets and orders the operator's account may write.
        + ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] * 2
        + ["CustomResourceDefinition"] * 2
        + ["ClusterRole"] * 4
    )


def test_the_pod_is_restricted(default):
    pod, container = default.pod, default.container
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for field in ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "volumes"):
        assert field not in pod


def test_the_token_goes_to_the_pod_alone(default):
    assert default.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert default.pod["automountServiceAccountToken"] is True
    assert default.pod["enableServiceLinks"] is False


def test_resources_and_probes(default):
    container = default.container
    assert container["resources"] == {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]


def test_the_operators_defaults_are_not_repeated(default):
    assert default.args == ["run", "--http-address=0.0.0.0:8080", "--log-format=json"]
    # The Pod itself, for an Event of it.
    names = [variable["name"] for variable in default.container["env"]]
    assert names == ["CERTORDER_POD_NAME", "CERTORDER_POD_NAMESPACE", "CERTORDER_POD_UID"]


def test_the_image_is_that_of_the_chart(default):
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert default.container["image"] == f"ghcr.io/certorder/certorder:{version}"
    assert version in yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]["artifacthub.io/images"]


def test_selectors_match_the_pods(default):
    deployment = default.one("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        default.one("Service")["spec"]["selector"],
        default.one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_every_object_is_labelled(default):
    for item in default.objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "certorder" and labels["app.kubernetes.io/instance"] == "certorder"


def test_namespaced_objects_are_in_the_namespace_of_the_release(default):
    everywhere = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"}
    everywhere |= {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    for item in default.objects:
        expected = None if item["kind"] in everywhere else "certorder"
        if item["metadata"]["name"] == "certorder.certorder":
            expected = "certorder-claims"
        assert item["metadata"].get("namespace") == expected, item["kind"]


def test_the_test_pod_asks_the_service_and_is_no_target_of_it(default):
    pod, service = default.one("Pod"), default.one("Service")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    [container] = pod["spec"]["containers"]
    port = service["spec"]["ports"][0]["port"]
    assert container["args"] == ["probe", f"http://{service['metadata']['name']}.certorder:{port}/readyz"]
    assert not service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
