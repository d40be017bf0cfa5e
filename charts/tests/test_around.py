"""What stands around the Deployment: CRDs, network, metrics, budgets, policies."""

import pytest
import yaml

from conftest import CHART, CHARTS


def test_the_crds_are_those_of_the_repository(render):
    found = {item["metadata"]["name"]: item for item in render().all("CustomResourceDefinition")}
    sources = sorted((CHARTS.parent / "crds").glob("*.yaml"))
    assert len(sources) == len(found) == 2
    for source in sources:
        assert source.read_text() == (CHART / "files" / "crds" / source.name).read_text(), "charts/generate"
        crd = yaml.safe_load(source.read_text())
        assert found[crd["metadata"]["name"]]["spec"] == crd["spec"]


# For Helm, for Argo CD's pruning (which does not look at Helm's annotation), and for that of a Flux Kustomization.
KEPT = {
    "helm.sh/resource-policy": "keep",
    "argocd.argoproj.io/sync-options": "Prune=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}


def test_crds_are_kept_unless_asked(render):
    for crd in render().all("CustomResourceDefinition"):
        assert crd["metadata"]["annotations"] == KEPT
    for crd in render({"crds": {"keep": False}}).all("CustomResourceDefinition"):
        assert "annotations" not in crd["metadata"]
    for crd in render({"crds": {"annotations": {"a": "b"}}}).all("CustomResourceDefinition"):
        assert crd["metadata"]["annotations"] == KEPT | {"a": "b"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"crds": {"annotations": {"argocd.argoproj.io/sync-options": "Replace=true, Prune=true"}}}, "Replace=true"),
        ({"commonAnnotations": {"argocd.argoproj.io/sync-options": "ServerSideApply=true"}}, "ServerSideApply=true"),
    ],
)
def test_sync_options_of_the_user_stay_beside_that_which_keeps_the_crds(render, values, expected):
    for crd in render(values).all("CustomResourceDefinition"):
        assert crd["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == f"Prune=false,{expected}"


def test_crds_are_not_deleted_without_a_word(render, refusal):
    deletes = {"enabled": False, "keep": False}
    for arguments in ([], ["--is-upgrade"]):
        message = refusal({"crds": deletes}, *arguments)
        assert "every CertificateOrder" in message and "crds.confirmDeletion=true" in message
    assert not render({"crds": deletes | {"confirmDeletion": True}}).all("CustomResourceDefinition")
    # Each alone deletes nothing on an upgrade.
    render({"crds": {"enabled": False}}, "--is-upgrade")
    render({"crds": {"keep": False}}, "--is-upgrade")


def test_the_namespace_of_the_claims_comes_with_the_crds_and_is_kept_as_they_are(render):
    out = render()
    namespace = out.one("Namespace", "certorder-claims")
    assert namespace["metadata"]["annotations"] == KEPT
    # It is kept with CRDs that are not, too: it holds the claims of every installation.
    assert render({"crds": {"keep": False}}).one("Namespace")["metadata"]["annotations"] == KEPT
    assert not render({"crds": {"enabled": False}}).all("Namespace")
    assert not render({"claims": {"create": False}}).all("Namespace")
    assert render({"claims": {"create": True}, "crds": {"enabled": False}}).one("Namespace", "certorder-claims")


def test_the_namespace_of_the_claims_is_named_to_the_operator_only_if_it_is_another(render, refusal):
    assert not [arg for arg in render().args if "claims" in arg]
    out = render({"claims": {"namespace": "claims"}})
    assert out.args.count("--claims-namespace=claims") == 1
    assert out.one("Namespace", "claims")
    assert {item["metadata"]["namespace"] for item in out.all("Role")} == {"certorder", "claims"}
    # Never the operator's own, which may be deleted with it.
    assert "is the operator's own" in refusal({"claims": {"namespace": "certorder"}})
    assert "is the operator's own" in refusal({"namespaceOverride": "certorder-claims"})


def test_crds_can_be_left_to_others(render):
    assert not render({"crds": {"enabled": False}}).all("CustomResourceDefinition")


def test_no_crd_is_installed_only_once():
    # What is in crds/ of a chart is never upgraded.
    assert not (CHART / "crds").exists()


def ports(rule):
    return [port["port"] for port in rule["ports"]]


def test_the_network_is_closed_but_for_dns_the_api_server_and_the_clouds(render):
    spec = render().one("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [ports(rule) for rule in spec["egress"]] == [[53, 53], [443, 6443], [443]]
    [ingress] = spec["ingress"]
    assert ports(ingress) == ["http"]
    # The Pod of `helm test`, and nobody else.
    assert [list(peer) for peer in ingress["from"]] == [["podSelector"]]
    assert ingress["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"


def test_nobody_is_admitted_who_is_not_named(render):
    alone = {"test": {"enabled": False}}
    assert render(alone).one("NetworkPolicy")["spec"]["ingress"] == []
    peer = {"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}
    for values, wanted in [
        ({"metricsFrom": [peer]}, [{"ports": [{"port": "http", "protocol": "TCP"}], "from": [peer]}]),
        ({"extraIngress": [{"from": [peer]}]}, [{"from": [peer]}]),
    ]:
        assert render(alone | {"networkPolicy": values}).one("NetworkPolicy")["spec"]["ingress"] == wanted


@pytest.mark.parametrize("monitor", ["serviceMonitor", "podMonitor"])
def test_a_monitor_that_the_policy_would_shut_out_is_refused(render, refusal, monitor):
    on = {monitor: {"enabled": True}}
    assert "networkPolicy.metricsFrom" in refusal(on)
    peer = {"namespaceSelector": {}}
    for policy in [{"metricsFrom": [peer]}, {"extraIngress": [{"from": [peer]}]}, {"enabled": False}]:
        assert render(on | {"networkPolicy": policy})


def test_the_network_can_be_narrowed(render):
    block = lambda cidr: [{"ipBlock": {"cidr": cidr}}]
    values = {
        "apiServerPorts": [6443],
        "cloudPorts": [3128],
        "dnsTo": [{"namespaceSelector": {}}],
        "apiServerTo": block("192.0.2.1/32"),
        "cloudsTo": block("198.51.100.1/32"),
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "extraEgress": [{"ports": [{"port": 4317}]}],
        "extraIngress": [{"ports": [{"port": 9000}]}],
    }
    spec = render({"networkPolicy": values}).one("NetworkPolicy")["spec"]
    dns, server, clouds, further = spec["egress"]
    assert dns["to"] == [{"namespaceSelector": {}}]
    assert (ports(server), server["to"]) == ([6443], block("192.0.2.1/32"))
    assert (ports(clouds), clouds["to"]) == ([3128], block("198.51.100.1/32"))
    assert ports(further) == [4317]
    metrics, more = spec["ingress"]
    # The Pod of `helm test` still gets through.
    assert metrics["from"][0] == values["metricsFrom"][0]
    assert metrics["from"][1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"
    assert ports(more) == [9000]
    assert not render({"networkPolicy": {"enabled": False}}).all("NetworkPolicy")


@pytest.mark.parametrize(
    ("kind", "value", "endpoints"),
    [("ServiceMonitor", "serviceMonitor", "endpoints"), ("PodMonitor", "podMonitor", "podMetricsEndpoints")],
)
def test_monitors(render, kind, value, endpoints):
    assert not render().all(kind)
    settings = {
        "enabled": True,
        "namespace": "monitoring",
        "labels": {"release": "prometheus"},
        "annotations": {"a": "b"},
        "interval": "30s",
        "scrapeTimeout": "10s",
        "relabelings": [{"action": "labeldrop", "regex": "pod"}],
        "metricRelabelings": [{"action": "keep", "regex": "certorder_.*", "sourceLabels": ["__name__"]}],
    }
    out = render({value: settings, "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}]}})
    monitor = out.one(kind)
    assert monitor["metadata"]["namespace"] == "monitoring"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    [endpoint] = monitor["spec"][endpoints]
    assert endpoint == {"port": "http", "path": "/metrics"} | {
        name: settings[name] for name in ("interval", "scrapeTimeout", "relabelings", "metricRelabelings")
    }
    assert monitor["spec"]["namespaceSelector"]["matchNames"] == ["certorder"]
    target = "Service" if kind == "ServiceMonitor" else "Deployment"
    labels = out.one(target)["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_service_monitor_needs_the_service(refusal):
    without = {"service": {"enabled": False}, "test": {"enabled": False}}
    assert "serviceMonitor needs service.enabled" in refusal(without | {"serviceMonitor": {"enabled": True}})
    assert "test.enabled needs service.enabled" in refusal({"service": {"enabled": False}})


def test_a_service_of_another_kind(render):
    out = render({"service": {"type": "NodePort", "annotations": {"a": "b"}, "ipFamilyPolicy": "PreferDualStack"}})
    service = out.one("Service")
    assert (service["spec"]["type"], service["spec"]["ipFamilyPolicy"]) == ("NodePort", "PreferDualStack")
    assert service["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"maxUnavailable": 1}),
        ({"maxUnavailable": 0}, {"maxUnavailable": 0}),
        ({"minAvailable": "50%"}, {"minAvailable": "50%"}),
    ],
)
def test_a_disruption_budget(render, refusal, values, expected):
    assert not render().all("PodDisruptionBudget")
    spec = render({"podDisruptionBudget": {"enabled": True} | values}).one("PodDisruptionBudget")["spec"]
    spec.pop("selector")
    assert spec == expected
    both = {"enabled": True, "minAvailable": 1, "maxUnavailable": 1}
    assert "not both" in refusal({"podDisruptionBudget": both})


def test_domains_by_annotation(render):
    only_domains = {"operator": {"enabled": False}}
    assert not render({"policies": only_domains}).all("ValidatingAdmissionPolicy")
    out = render({"policies": only_domains | {"domains": {"enabled": True, "annotation": "acme.example/domains"}}})
    policy = out.one("ValidatingAdmissionPolicy")
    assert policy["spec"]["failurePolicy"] == "Fail"
    # The API server checks the types of expressions only for versions that are named, and of which it knows the schema.
    [rule] = policy["spec"]["matchConstraints"]["resourceRules"]
    crd = out.one("CustomResourceDefinition", "certificateorders.certorder.dev")
    assert rule["apiVersions"] == [version["name"] for version in crd["spec"]["versions"] if version["storage"]]
    assert '"acme.example/domains" in namespaceObject.metadata.annotations' in out.text
    binding = out.one("ValidatingAdmissionPolicyBinding")
    assert binding["spec"] == {"policyName": policy["metadata"]["name"], "validationActions": ["Deny"]}
    assert not out.all("ConfigMap")


def test_domains_by_list(render):
    domains = {
        "enabled": True,
        "source": "Values",
        "namespaces": {"shop": ["shop.example", "*.shop.example"], "bank": ["*"]},
        "unlisted": "Allow",
        "actions": ["Warn", "Audit"],
        "namespaceSelector": {"matchLabels": {"orders": "yes"}},
    }
    out = render({"policies": {"operator": {"enabled": False}, "domains": domains}})
    spec = out.one("ValidatingAdmissionPolicyBinding")["spec"]
    assert spec["validationActions"] == ["Warn", "Audit"]
    assert spec["matchResources"] == {"namespaceSelector": {"matchLabels": {"orders": "yes"}}}
    spec = out.one("ValidatingAdmissionPolicy")["spec"]
    variables = {item["name"]: item["expression"] for item in spec["variables"]}
    assert variables["lists"] == '{"bank":["*"],"shop":["shop.example","*.shop.example"]}'
    assert variables["allowed"].endswith(": ['*']")
    # See the comment in the template.
    assert "paramKind" not in spec and not out.all("ConfigMap")


def test_further_objects(render):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "{{ .Release.Name }}-orders"}}
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ include \"certorder.fullname\" . }}-x'}\n"
    out = render({"extraObjects": [quota, text]})
    assert out.one("ResourceQuota")["metadata"]["name"] == "certorder-orders"
    assert out.one("ConfigMap")["metadata"]["name"] == "certorder-x"


def test_the_test_pod_can_be_left_out(render):
    assert not render({"test": {"enabled": False}}).all("Pod")
