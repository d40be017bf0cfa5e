"""The Deployment: flags, environment, and where it runs."""

import pytest

FLAGS = [
    ({"concurrency": 64}, "--concurrency=64"),
    ({"pollInterval": "1m"}, "--poll-interval=1m"),
    ({"callTimeout": "500ms"}, "--call-timeout=500ms"),
    ({"tencentCloud": {"reissueBar": "240h"}}, "--tencent-reissue-bar=240h"),
    ({"maxOrdersPerNamespace": 1000000}, "--max-orders-per-namespace=1000000"),
    ({"secretTemplate": {"prefixes": ["acme.example"]}}, "--secret-template-prefix=acme.example"),
    ({"tencentCloud": {"rateLimit": 20}}, "--tencent-rate-limit=20"),
    ({"tencentCloud": {"endpoint": "https://ssl.gateway.example"}}, "--tencent-endpoint=https://ssl.gateway.example"),
    ({"huaweiCloud": {"rateLimit": 3}}, "--huawei-rate-limit=3"),
    (
        {"huaweiCloud": {"endpoint": "https://scm.{region}.gateway.example"}},
        "--huawei-endpoint=https://scm.{region}.gateway.example",
    ),
    ({"logLevel": "certorder=debug,kube=info"}, "--log-level=certorder=debug,kube=info"),
    ({"logFormat": "text"}, "--log-format=text"),
    ({"httpPort": 9402}, "--http-address=0.0.0.0:9402"),
    ({"extraArgs": ["--log-level=warn"]}, "--log-level=warn"),
]


@pytest.mark.parametrize(("values", "flag"), FLAGS, ids=[flag for _, flag in FLAGS])
def test_each_value_is_one_flag(render, values, flag):
    args = render(values).args
    assert args.count(flag) == 1
    assert len({arg.split("=")[0] for arg in args}) == len(args)


def test_each_prefix_is_one_flag(render):
    args = render({"secretTemplate": {"prefixes": ["b.example", "a.example", "b.example"]}}).args
    assert [arg for arg in args if "prefix" in arg] == [
        "--secret-template-prefix=a.example", "--secret-template-prefix=b.example",
    ]


def test_the_port_is_one_everywhere(render):
    out = render({"httpPort": 9402, "service": {"port": 80}})
    assert out.container["ports"][0]["containerPort"] == 9402
    assert out.one("Service")["spec"]["ports"][0] == {
        "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP",
    }
    assert out.one("NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] == "http"


def test_replicas_stand_by(render, refusal):
    out = render({"replicaCount": 3})
    assert out.one("Deployment")["spec"]["replicas"] == 3
    assert "strategy" not in out.one("Deployment")["spec"]
    message = refusal({"replicaCount": 2, "leaderElection": {"enabled": False}})
    assert "needs leaderElection.enabled" in message


def test_a_strategy_of_ones_own(render):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    assert render({"updateStrategy": strategy}).one("Deployment")["spec"]["strategy"] == strategy


def test_a_digest_takes_precedence(render):
    digest = "sha256:" + "0" * 64
    out = render({"image": {"registry": "mirror.example", "tag": "9.9.9", "digest": digest, "pullPolicy": "Always"}})
    assert out.container["image"] == f"mirror.example/certorder/certorder@{digest}"
    assert out.container["imagePullPolicy"] == "Always"


def test_a_tag_and_no_registry(render):
    out = render({"image": {"registry": "", "repository": "certorder", "tag": "dev"}})
    assert out.container["image"] == "certorder:dev"
    assert out.one("Pod")["spec"]["containers"][0]["image"] == "certorder:dev"


def test_pull_secrets_are_for_both_pods(render):
    out = render({"imagePullSecrets": [{"name": "login"}]})
    assert out.pod["imagePullSecrets"] == out.one("Pod")["spec"]["imagePullSecrets"] == [{"name": "login"}]


def env(out):
    """Without the variables that name the Pod itself, which are always there."""
    variables = [item for item in out.container["env"] if not item["name"].startswith("CERTORDER_POD_")]
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in variables}


def test_a_proxy(render):
    proxy = {"https": "http://proxy.example:3128", "http": "http://proxy.example:3128", "noProxy": "10.0.0.0/8,.svc"}
    assert env(render({"proxy": proxy})) == {
        "HTTPS_PROXY": "http://proxy.example:3128",
        "HTTP_PROXY": "http://proxy.example:3128",
        "NO_PROXY": "10.0.0.0/8,.svc",
    }


@pytest.mark.parametrize(
    ("values", "volume"),
    [
        ({"configMapName": "roots"}, {"configMap": {"name": "roots", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}),
        (
            {"secretName": "roots", "key": "all.pem"},
            {"secret": {"secretName": "roots", "items": [{"key": "all.pem", "path": "ca.crt"}]}},
        ),
    ],
)
def test_a_bundle_of_authorities(render, values, volume):
    out = render({"caBundle": values})
    assert out.pod["volumes"] == [{"name": "ca-bundle"} | volume]
    [mount] = out.container["volumeMounts"]
    assert mount == {"name": "ca-bundle", "mountPath": "/etc/certorder/ca", "readOnly": True}
    assert env(out) == {"SSL_CERT_FILE": "/etc/certorder/ca/ca.crt"}


def test_further_environment_volumes_and_mounts(render):
    out = render(
        {
            "extraEnv": [{"name": "TZ", "value": "UTC"}],
            "extraEnvFrom": [{"secretRef": {"name": "more"}}],
            "extraVolumes": [{"name": "scratch", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
            "caBundle": {"secretName": "roots"},
        }
    )
    assert env(out) == {"TZ": "UTC", "SSL_CERT_FILE": "/etc/certorder/ca/ca.crt"}
    assert out.container["envFrom"] == [{"secretRef": {"name": "more"}}]
    assert [item["name"] for item in out.pod["volumes"]] == ["ca-bundle", "scratch"]
    assert [item["mountPath"] for item in out.container["volumeMounts"]] == ["/etc/certorder/ca", "/tmp"]


def test_where_it_runs(render):
    values = {
        "priorityClassName": "system-cluster-critical",
        "runtimeClassName": "gvisor",
        "hostUsers": False,
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "dnsPolicy": "Default",
        "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
        "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["ssl.tencentcloudapi.com"]}],
        "terminationGracePeriodSeconds": 30,
    }
    pod = render(values).pod
    for field, value in values.items():
        if field == "nodeSelector":
            # The default is a map too, and maps are merged by Helm.
            assert pod[field] == {"kubernetes.io/os": "linux", "pool": "system"}
        else:
            assert pod[field] == value, field


def test_replicas_are_spread_by_their_own_labels(render):
    zone = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    own = zone | {"labelSelector": {"matchLabels": {"app": "x"}}}
    out = render({"topologySpreadConstraints": [zone, own]})
    first, second = out.pod["topologySpreadConstraints"]
    labels = out.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert first["labelSelector"]["matchLabels"].items() <= labels.items()
    assert second == own


def test_labels_and_annotations_reach_everything_but_selectors(render):
    values = {
        "commonLabels": {"team": "pki", "app.kubernetes.io/name": "other"},
        "commonAnnotations": {"owner": "pki"},
        "podLabels": {"sidecar": "no"},
        "podAnnotations": {"note": "x"},
        "deploymentAnnotations": {"reloader": "yes"},
    }
    out = render(values)
    for item in out.objects:
        if item["kind"] == "Pod":
            continue
        assert item["metadata"]["labels"]["team"] == "pki", item["kind"]
        assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "certorder"
        assert item["metadata"]["annotations"]["owner"] == "pki", item["kind"]
    deployment = out.one("Deployment")
    assert deployment["metadata"]["annotations"]["reloader"] == "yes"
    template = deployment["spec"]["template"]["metadata"]
    assert template["labels"]["sidecar"] == "no" and template["annotations"]["note"] == "x"
    assert "team" not in deployment["spec"]["selector"]["matchLabels"]


def test_names_follow_the_release(render):
    assert render(release="blue").one("Deployment")["metadata"]["name"] == "blue-certorder"
    assert render(release="certorder-blue").one("Deployment")["metadata"]["name"] == "certorder-blue"
    assert render({"fullnameOverride": "orders"}).one("Deployment")["metadata"]["name"] == "orders"
    out = render({"nameOverride": "orders", "namespaceOverride": "pki"})
    assert out.one("Deployment")["metadata"]["name"] == "certorder-orders"
    assert out.one("Deployment")["metadata"]["namespace"] == "pki"
    assert out.one("ClusterRoleBinding")["subjects"][0]["namespace"] == "pki"


def test_two_releases_share_no_name_but_those_of_the_crds_and_the_claims(render):
    one, other = render(release="blue"), render(release="green")
    name = lambda item: (item["kind"], item["metadata"]["name"])
    shared = {name(item) for item in one.objects} & {name(item) for item in other.objects}
    assert {kind for kind, _ in shared} == {"CustomResourceDefinition", "Namespace"}
    assert ("Namespace", "certorder-claims") in shared
