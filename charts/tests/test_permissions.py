"""Least privilege, and who else may do what."""

import pytest

OPERATOR = [
    (["certorder.dev"], ["certificateorders"], ["get", "list", "watch", "create", "patch", "delete"]),
    (["certorder.dev"], ["organizationprofiles"], ["get", "list", "watch"]),
    (["certorder.dev"], ["certificateorders/status", "organizationprofiles/status"], ["update"]),
    ([""], ["secrets"], ["get", "list", "watch", "create", "patch"]),
    (["events.k8s.io"], ["events"], ["create", "patch"]),
]


def rules(role):
    return [(rule["apiGroups"], rule["resources"], rule["verbs"]) for rule in role["rules"]]


def subjects(binding):
    return [(item["kind"], item["namespace"], item["name"]) for item in binding["subjects"]]


def test_the_operator_may_do_what_it_does_and_nothing_else(render):
    out = render()
    assert rules(out.one("ClusterRole", "certorder")) == OPERATOR
    binding = out.one("ClusterRoleBinding")
    assert binding["roleRef"]["name"] == "certorder"
    assert subjects(binding) == [("ServiceAccount", "certorder", "certorder")]


def test_one_namespace_takes_no_cluster_role(render):
    out = render({"watchNamespaces": ["shop", "bank", "shop"], "rbac": {"userRoles": False}})
    assert not out.all("ClusterRole") and not out.all("ClusterRoleBinding")
    roles = [role for role in out.all("Role") if role["metadata"]["name"] == "certorder"]
    assert [role["metadata"]["namespace"] for role in roles] == ["bank", "shop"]
    assert all(rules(role) == OPERATOR for role in roles)
    bindings = [item for item in out.all("RoleBinding") if item["metadata"]["name"] == "certorder"]
    assert [item["metadata"]["namespace"] for item in bindings] == ["bank", "shop"]
    assert all(subjects(item) == [("ServiceAccount", "certorder", "certorder")] for item in bindings)
    assert out.args[-2:] == ["--watch-namespace=bank", "--watch-namespace=shop"]


@pytest.mark.parametrize(("watched", "has_role"), [([], False), (["shop"], True), (["shop", "certorder"], False)])
def test_it_may_write_events_of_its_own_pod(render, watched, has_role):
    out = render({"watchNamespaces": watched, "rbac": {"userRoles": False}})
    roles = [role for role in out.all("Role") if role["metadata"]["name"] == "certorder-own-events"]
    bindings = [item for item in out.all("RoleBinding") if item["metadata"]["name"] == "certorder-own-events"]
    assert len(roles) == len(bindings) == int(has_role)
    for role, binding in zip(roles, bindings):
        assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "certorder"
        assert role["rules"] == [{"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}]
        assert subjects(binding) == [("ServiceAccount", "certorder", "certorder")]


@pytest.mark.parametrize("values", [{}, {"watchNamespaces": ["shop"]}, {"rbac": {"aggregateToEdit": True}}])
def test_no_role_has_a_wildcard_or_may_escalate(render, values):
    out = render(values)
    for role in out.all("ClusterRole") + out.all("Role"):
        for rule in role["rules"]:
            words = rule["apiGroups"] + rule["resources"] + rule["verbs"]
            assert not {"*", "bind", "escalate", "impersonate"} & set(words), role["metadata"]["name"]


@pytest.mark.parametrize("values", [{}, {"watchNamespaces": ["shop"]}])
def test_no_secret_is_deleted_or_replaced(render, values):
    out = render(values)
    for role in out.all("ClusterRole") + out.all("Role"):
        for rule in role["rules"]:
            if "secrets" in rule["resources"]:
                assert not {"delete", "deletecollection", "update"} & set(rule["verbs"])


def test_the_lease_is_one_by_name(render):
    role = render().one("Role", "certorder-leader-election")
    assert rules(role) == [
        (["coordination.k8s.io"], ["leases"], ["create"]),
        (["coordination.k8s.io"], ["leases"], ["get", "update"]),
    ]
    assert role["rules"][1]["resourceNames"] == ["certorder"]


def test_the_lease_follows_its_namespace(render):
    out = render({"leaderElection": {"namespace": "leases"}})
    assert out.one("Role", "certorder-leader-election")["metadata"]["namespace"] == "leases"
    assert out.one("RoleBinding", "certorder-leader-election")["metadata"]["namespace"] == "leases"
    assert "--lease-namespace=leases" in out.args


def policies(out):
    found = out.all("ValidatingAdmissionPolicy")
    bindings = out.all("ValidatingAdmissionPolicyBinding")
    assert [item["spec"]["policyName"] for item in bindings] == [item["metadata"]["name"] for item in found]
    assert all(item["spec"]["validationActions"] == ["Deny"] for item in bindings)
    return {item["metadata"]["name"]: item["spec"] for item in found}


def test_what_the_operator_writes_is_narrowed_by_policies(render):
    found = policies(render())
    assert list(found) == ["certorder.certorder-secrets", "certorder.certorder-orders"]
    for spec in found.values():
        assert spec["failurePolicy"] == "Fail"
        [condition] = spec["matchConditions"]
        assert condition["expression"] == "request.userInfo.username == 'system:serviceaccount:certorder:certorder'"


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, True),
        ({"watchNamespaces": ["shop"]}, False),
        ({"policies": {"operator": {"enabled": False}}}, False),
        ({"watchNamespaces": ["shop"], "policies": {"operator": {"enabled": True}}}, True),
    ],
)
def test_the_policies_are_of_the_cluster_and_so_only_where_the_operator_is(render, values, there):
    assert len(policies(render(values))) == (2 if there else 0)


def test_the_policies_are_about_the_account_and_the_claims_of_their_release(render):
    values = {"serviceAccount": {"create": False, "name": "mine"}, "claims": {"namespace": "our-claims"}}
    found = policies(render(values, namespace="a", release="blue"))
    assert list(found) == ["a.blue-certorder-secrets", "a.blue-certorder-orders"]
    for spec in found.values():
        assert "'system:serviceaccount:a:mine'" in spec["matchConditions"][0]["expression"]
    assert "== 'our-claims'" in str(found["a.blue-certorder-secrets"]["variables"])


ENDPOINTS = [(["externaldns.k8s.io"], ["dnsendpoints"], ["get", "list", "create", "patch", "delete"])]
WITH_ENDPOINTS = {"dnsEndpoint": {"enabled": True}, "policies": {"domains": {"enabled": True}}}


def test_dns_endpoints_are_written_only_on_request(render):
    assert "externaldns.k8s.io" not in render().text
    out = render(WITH_ENDPOINTS)
    assert rules(out.one("ClusterRole", "certorder")) == OPERATOR
    assert rules(out.one("ClusterRole", "certorder-dns-endpoint")) == ENDPOINTS
    binding = out.one("ClusterRoleBinding", "certorder-dns-endpoint")
    assert binding["roleRef"]["name"] == "certorder-dns-endpoint"
    assert subjects(binding) == [("ServiceAccount", "certorder", "certorder")]
    [policy] = [item for item in out.all("ValidatingAdmissionPolicy") if item["metadata"]["name"].endswith("-dnsendpoints")]
    [rule] = policy["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["dnsendpoints"], ["CREATE", "UPDATE", "DELETE"])
    [condition] = policy["spec"]["matchConditions"]
    assert condition["expression"] == "request.userInfo.username == 'system:serviceaccount:certorder:certorder'"


def test_dns_endpoints_of_one_namespace_take_no_cluster_role(render):
    out = render(WITH_ENDPOINTS | {"watchNamespaces": ["shop", "bank"], "rbac": {"userRoles": False}})
    assert not out.all("ClusterRole") and not out.all("ClusterRoleBinding")
    roles = [role for role in out.all("Role") if role["metadata"]["name"] == "certorder-dns-endpoint"]
    assert [role["metadata"]["namespace"] for role in roles] == ["bank", "shop"]
    assert all(rules(role) == ENDPOINTS for role in roles)
    bindings = [item for item in out.all("RoleBinding") if item["metadata"]["name"] == "certorder-dns-endpoint"]
    assert [item["metadata"]["namespace"] for item in bindings] == ["bank", "shop"]
    out = render(WITH_ENDPOINTS | {"rbac": {"create": False}})
    assert not [item for item in out.objects if item["metadata"]["name"] == "certorder-dns-endpoint"]


def test_quotes_are_an_argument(render):
    assert not [flag for flag in render().args if "quote" in flag]
    out = render(WITH_ENDPOINTS | {"dnsEndpoint": {"enabled": True, "quoteTxt": True}})
    assert "--dns-endpoint-quote-txt=true" in out.args


CLAIMS = [
    (["coordination.k8s.io"], ["leases"], ["get", "list", "create", "update", "delete"]),
    # The key of the payload hashes.
    ([""], ["secrets"], ["get"]),
    ([""], ["secrets"], ["create"]),
]


@pytest.mark.parametrize("values", [{}, {"watchNamespaces": ["shop"]}, {"crds": {"enabled": False}}])
def test_claims_are_leases_in_a_namespace_of_their_own(render, values):
    out = render(values)
    assert rules(out.one("Role", "certorder.certorder")) == CLAIMS
    binding = out.one("RoleBinding", "certorder.certorder")
    assert binding["metadata"]["namespace"] == "certorder-claims"
    assert binding["roleRef"]["name"] == "certorder.certorder"
    assert subjects(binding) == [("ServiceAccount", "certorder", "certorder")]


def test_no_two_installations_have_the_same_name_among_the_claims(render):
    def name(namespace, release, values=None):
        out = render(values, namespace=namespace, release=release)
        [role] = [item for item in out.all("Role") if item["metadata"]["namespace"] == "certorder-claims"]
        return role["metadata"]["name"]

    found = [
        name("a", "certorder"),
        name("b", "certorder"),
        name("a", "blue"),
        name("a", "blue", {"fullnameOverride": "b-certorder"}),
        name("a-b", "blue", {"fullnameOverride": "certorder"}),
        name("x", "certorder", {"namespaceOverride": "c"}),
    ]
    assert len(set(found)) == len(found), found
    assert found[0] == "a.certorder" and found[-1] == "c.certorder"


def test_the_role_for_claims_can_be_left_to_an_administrator(render):
    out = render({"claims": {"rbac": False}})
    assert {item["metadata"]["namespace"] for item in out.all("Role")} == {"certorder"}
    assert {item["metadata"]["namespace"] for item in out.all("RoleBinding")} == {"certorder"}
    team = {"watchNamespaces": ["shop"], "crds": {"enabled": False}}
    alone = render(team, "--show-only", "templates/claims.yaml")
    assert [item["kind"] for item in alone.objects] == ["Role", "RoleBinding"]


def test_without_election_there_is_no_lease_and_one_pod_at_a_time(render):
    out = render({"leaderElection": {"enabled": False}})
    assert [item["metadata"]["name"] for item in out.all("Role")] == ["certorder.certorder"]
    assert "--leader-elect=false" in out.args
    assert out.one("Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_reading_orders_is_aggregated_to_view_and_writing_to_nobody(render):
    out = render()
    prefix = "rbac.authorization.k8s.io/aggregate-to-"

    def aggregation(name):
        labels = out.one("ClusterRole", name)["metadata"]["labels"]
        return {key.removeprefix(prefix) for key in labels if key.startswith(prefix)}

    assert aggregation("certorder-orders-view") == {"view"}
    assert aggregation("certorder-orders-edit") == set()
    assert aggregation("certorder-profiles-admin") == {"admin"}
    assert aggregation("certorder") == set()
    view = out.one("ClusterRole", "certorder-orders-view")
    assert rules(view) == [(["certorder.dev"], ["certificateorders"], ["get", "list", "watch"])]


def test_edit_may_order_only_on_request(render):
    role = render({"rbac": {"aggregateToEdit": True}}).one("ClusterRole", "certorder-orders-edit")
    assert role["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"


def test_users_roles_give_no_status_and_no_secret(render):
    out = render()
    for name in ("certorder-orders-view", "certorder-orders-edit", "certorder-profiles-admin"):
        for rule in out.one("ClusterRole", name)["rules"]:
            assert rule["resources"] in (["certificateorders"], ["organizationprofiles"])


def test_roles_can_be_left_to_others(render):
    out = render({"rbac": {"create": False, "userRoles": False}})
    for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"):
        assert not out.all(kind)


def test_a_service_account_of_ones_own(render, refusal):
    out = render({"serviceAccount": {"create": False, "name": "mine"}})
    assert not out.all("ServiceAccount")
    assert out.pod["serviceAccountName"] == "mine"
    assert subjects(out.one("ClusterRoleBinding")) == [("ServiceAccount", "certorder", "mine")]
    assert "serviceAccount.name is needed" in refusal({"serviceAccount": {"create": False}})


def test_annotations_of_the_service_account(render):
    out = render({"serviceAccount": {"annotations": {"tke.cloud.tencent.com/role-arn": "qcs::cam::x"}}})
    assert out.one("ServiceAccount")["metadata"]["annotations"] == {"tke.cloud.tencent.com/role-arn": "qcs::cam::x"}
