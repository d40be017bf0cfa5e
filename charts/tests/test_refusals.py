"""What the schema refuses, with the value that is wrong in the message; and that it knows every value."""

import json

import pytest
import yaml

from conftest import CHART

WRONG = [
    ({"replicas": 2}, "replicas"),
    ({"image": {"name": "x"}}, "name"),
    ({"image": {"digest": "sha256:short"}}, "digest"),
    ({"image": {"tag": "a b"}}, "tag"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"replicaCount": "two"}, "replicaCount"),
    ({"replicaCount": -1}, "replicaCount"),
    ({"watchNamespaces": "shop"}, "watchNamespaces"),
    ({"watchNamespaces": [""]}, "watchNamespaces"),
    ({"watchNamespaces": ["Shop"]}, "watchNamespaces"),
    ({"concurrency": 0}, "concurrency"),
    ({"concurrency": 5000}, "concurrency"),
    ({"pollInterval": 30}, "pollInterval"),
    ({"pollInterval": "30"}, "pollInterval"),
    ({"callTimeout": "soon"}, "callTimeout"),
    ({"maxOrdersPerNamespace": 0}, "maxOrdersPerNamespace"),
    ({"secretTemplate": {"prefixes": ["acme.example/"]}}, "prefixes"),
    ({"secretTemplate": {"prefixes": ["*.example"]}}, "prefixes"),
    ({"secretTemplate": {"prefixes": ["kubernetes.io"]}}, "prefixes"),
    ({"policies": {"operator": {"enabled": "no"}}}, "enabled"),
    ({"dnsEndpoint": {"enabled": "yes"}}, "enabled"),
    ({"dnsEndpoint": {"ttl": 60}}, "ttl"),
    ({"tencentCloud": {"rateLimit": 0.5}}, "rateLimit"),
    ({"tencentCloud": {"endpoint": "http://ssl.example"}}, "endpoint"),
    ({"tencentCloud": {"endpoint": "https://user@ssl.example"}}, "endpoint"),
    ({"huaweiCloud": {"endpoint": "https://scm.example/path"}}, "endpoint"),
    ({"logFormat": "xml"}, "logFormat"),
    ({"logLevel": "info; rm"}, "logLevel"),
    ({"httpPort": 80}, "httpPort"),
    ({"extraArgs": ["run"]}, "extraArgs"),
    ({"caBundle": {"configMapName": "a", "secretName": "b"}}, "caBundle"),
    ({"proxy": {"https": "proxy.example:3128"}}, "https"),
    ({"networkPolicy": {"cloudPorts": []}}, "cloudPorts"),
    ({"networkPolicy": {"dnsTo": [{"cidr": "10.0.0.0/8"}]}}, "dnsTo"),
    ({"rbac": {"aggregateToEdit": "yes"}}, "aggregateToEdit"),
    ({"rbac": {"clusterAdmin": True}}, "clusterAdmin"),
    ({"crds": {"keep": "no"}}, "keep"),
    ({"crds": {"confirmDeletion": "yes"}}, "confirmDeletion"),
    ({"claims": {"namespace": ""}}, "namespace"),
    ({"claims": {"create": "no"}}, "create"),
    ({"enabled": "yes"}, "enabled"),
    ({"commonLabels": {"version": 1}}, "commonLabels"),
    ({"podDisruptionBudget": {"minAvailable": "half"}}, "minAvailable"),
    ({"serviceMonitor": {"interval": "often"}}, "interval"),
    ({"service": {"type": "ExternalName"}}, "type"),
    ({"policies": {"domains": {"source": "Label"}}}, "source"),
    ({"policies": {"domains": {"actions": []}}}, "actions"),
    ({"policies": {"domains": {"namespaces": {"shop": ["https://shop.example"]}}}}, "shop"),
    ({"imagePullSecrets": ["login"]}, "imagePullSecrets"),
    ({"resources": {"limit": {}}}, "limit"),
    ({"extraObjects": [1]}, "extraObjects"),
]


@pytest.mark.parametrize(("values", "field"), WRONG, ids=[json.dumps(values) for values, _ in WRONG])
def test_a_wrong_value_is_refused_by_its_name(refusal, values, field):
    message = refusal(values)
    assert "don't meet the specifications of the schema" in message
    assert field in message


def paths(values, prefix=""):
    for key, value in values.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from paths(value, f"{prefix}{key}.")


def test_the_schema_and_the_values_name_the_same():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    def declared(node, prefix=""):
        node = schema["definitions"][node["$ref"].split("/")[-1]] if "$ref" in node else node
        for key, inner in node.get("properties", {}).items():
            yield prefix + key
            yield from declared(inner, f"{prefix}{key}.")

    inside = ("resources.", "podSecurityContext.", "securityContext.", "nodeSelector.")
    written = {path for path in paths(values) if not path.startswith(inside)}
    # Left to the cluster, or to a chart above this one.
    unset = {"enabled", "global", "livenessProbe.initialDelaySeconds", "readinessProbe.initialDelaySeconds"}
    unset |= {"updateStrategy.type", "updateStrategy.rollingUpdate"}
    known = {path for path in declared(schema) if not path.startswith(inside)}
    assert known - unset == written


def test_every_value_is_in_the_readme():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    page = (CHART / "README.md").read_text()

    def is_described(path):
        return f"| `{path}` |" in page or ("." in path and is_described(path.rsplit(".", 1)[0]))

    def leaves(values, prefix=""):
        for key, value in values.items():
            if isinstance(value, dict) and value:
                yield from leaves(value, f"{prefix}{key}.")
            else:
                yield prefix + key

    for path in leaves(values):
        assert is_described(path), path


def test_a_kubernetes_that_is_too_old_is_refused(refusal):
    assert "incompatible with Kubernetes v1.31" in refusal({}, "--kube-version", "1.31.0")


DOMAINS = {"enabled": True, "actions": ["Deny"]}


@pytest.mark.parametrize(
    "domains",
    [
        {"enabled": False},
        DOMAINS | {"actions": ["Warn", "Audit"]},
        DOMAINS | {"unlisted": "Allow"},
        DOMAINS | {"namespaceSelector": {"matchLabels": {"team": "shop"}}},
    ],
)
@pytest.mark.parametrize("others", [{}, {"rbac": {"create": False}, "policies": {"operator": {"enabled": False}}}])
def test_nobody_proves_control_of_any_domain_unless_that_is_said(render, refusal, domains, others):
    policies = others.get("policies", {}) | {"domains": domains}
    values = others | {"policies": policies, "dnsEndpoint": {"enabled": True}}
    message = refusal(values)
    assert "say which namespace may order which names with policies.domains" in message
    assert "dnsEndpoint.anyDomain" in message
    render(values | {"dnsEndpoint": {"enabled": True, "anyDomain": True}})
    render(values | {"policies": policies | {"domains": DOMAINS}})
    render(values | {"dnsEndpoint": {"enabled": False}})
