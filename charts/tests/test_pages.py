"""The pages that people follow: what they tell people to type is typed on a real API server, as it stands there.

CERTORDER_TEST_KUBECONFIG names the server. The pages install and delete the CRDs, which are of the whole cluster: take
one where nobody has an order.
"""

import contextlib
import json
import os
import re
import subprocess
import threading
import time

import pytest
import yaml

from conftest import CHARTS
from pages import NEEDS_MORE, PUBLISHED, Page, Shell, pages

KUBECONFIG = os.environ.get("CERTORDER_TEST_KUBECONFIG")
real = pytest.mark.skipif(not KUBECONFIG, reason="CERTORDER_TEST_KUBECONFIG is not set")

INSTALL = Page("docs/install.md")
GITOPS = Page("docs/gitops/README.md")
QUICKSTART = Page("docs/quickstart.md")
GUIDE = Page("docs/guide.md")
GATEWAY_API = CHARTS.parent / "tests" / "vectors" / "gateway-api"
# As `helm package` made it at commit 2c51883; the next release's takes its place.
LAST_RELEASE = CHARTS / "tests" / "releases" / "certorder-0.1.0.tgz"
MINE = "certorder.dev/pages"
NO_FINALIZER = ["--type", "merge", "-p", '{"metadata":{"finalizers":null}}']
ORDER = """apiVersion: certorder.dev/v1alpha1
kind: CertificateOrder
metadata: {name: www, namespace: shop}
spec:
  mode: Plan
  provider: {tencentCloud: {certificateId: J2lX2maH, contactEmail: me@blog.example}}
  credentialsRef: {name: tencent-credentials}
  commonName: blog.example
  secretName: blog-tls
"""

# == What pages must not say


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_tells_people_to_forget_what_they_set(page):
    for line in page.text.replace("\\\n", " ").splitlines():
        command = line.strip().removeprefix("$ ").removeprefix("helm upgrade")
        if "helm upgrade" in line and PUBLISHED in line and "--install" not in command:
            assert "--reset-then-reuse-values" in command or "--values" in command, line
        if line.lstrip().startswith("$ "):
            assert "--reuse-values" not in command.split(), line


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_has_a_command_that_does_not_do_what_it_seems_to(page):
    for line in page.text.replace("\\\n", " ").splitlines():
        if not line.lstrip().startswith("$ "):
            continue
        # Our Events are events.k8s.io/v1, in which lastTimestamp is null.
        assert "lastTimestamp" not in line
        # It ends neither when the order stops, nor when it is deleted.
        assert not ("kubectl" in line and " wait " in line and "certorder" in line), line
        # It deletes the operator and the CRDs at once: orders with a finalizer then stay for ever.
        assert not line.rstrip().endswith("delete -k deploy/"), line
        # The field would no longer belong to what is in git.
        assert not (" patch certorder" in line and "mode" in line), line


def test_the_pages_are_read_as_they_are_meant():
    assert len(pages()) >= 8
    assert INSTALL.commands("With Helm")[0].startswith("helm install certorder oci://")
    assert yaml.safe_load(INSTALL.blocks("With Helm", "yaml")[0])["replicaCount"] == 2
    assert [NEEDS_MORE.match(command) is None for command in ("helm test x", "helm upgrade x")] == [False, True]
    [heredoc] = [text for text in QUICKSTART.commands("2. Install it") if "<<'YAML'" in text]
    assert heredoc.endswith("\nYAML")


# == The cluster


def kubectl(*arguments, text=None, check=True):
    done = subprocess.run(
        ["kubectl", *arguments], input=text, env=os.environ | {"KUBECONFIG": KUBECONFIG}, capture_output=True,
        text=True, timeout=120,
    )
    assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stderr}"
    return done.stdout


def items(*what):
    return json.loads(kubectl("get", *what, "-o", "json", "--ignore-not-found") or '{"items": []}')["items"]


def names(*what):
    return {item["metadata"]["name"] for item in items(*what)}


def crds():
    return {name for name in names("crd") if name.endswith(".certorder.dev")}


def orders():
    return items("certorder", "-A") if "certificateorders.certorder.dev" in crds() else []


def clear():
    """Removes every installation, the CRDs, and what the pages and these tests made."""
    labelled = names("namespace", "-l", MINE)
    for order in orders():
        namespace, name = order["metadata"]["namespace"], order["metadata"]["name"]
        if namespace not in labelled and not namespace.startswith(("story-", "chart-", "certorder-example")):
            pytest.fail(f"{namespace}/{name} is somebody's: take a cluster where nobody has an order")
        kubectl("-n", namespace, "patch", "certorder", name, *NO_FINALIZER)
    kubectl("delete", "crd", "--ignore-not-found", *(crds() or ["none.certorder.dev"]))
    label = ["-l", "app.kubernetes.io/part-of=certorder"]
    kubectl("delete", "clusterrole,clusterrolebinding", *label)
    kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", *label)
    kubectl("delete", "role,rolebinding", "-A", *label)
    ours = labelled | (names("namespace") & {"certorder", "certorder-claims", "team", "pki"})
    if ours:
        kubectl("delete", "namespace", *ours)


@pytest.fixture
def shell(tmp_path):
    clear()
    yield Shell(tmp_path, KUBECONFIG)
    clear()


def namespace(name):
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, f"{MINE}=yes")


def until(holds, what):
    """Waits for a condition, for a minute at most."""
    for _ in range(300):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(what)


def the_order():
    return json.loads(kubectl("-n", "shop", "get", "certorder", "www", "-o", "json"))


def order():
    """Applies the order, as soon as the API server takes its kind."""
    apply = ["apply", "--server-side", "-f", "-"]
    until(lambda: kubectl(*apply, text=ORDER, check=False), "no order is taken")
    return the_order()


def finalizer():
    patch = '{"metadata":{"finalizers":["certorder.dev/cleanup"]}}'
    kubectl("-n", "shop", "patch", "certorder", "www", "--type", "merge", "-p", patch)


def args(name="certorder", place="certorder"):
    deployment = json.loads(kubectl("-n", place, "get", "deployment", name, "-o", "json"))
    return deployment["spec"]["replicas"], deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def may(account, verb):
    """What the API server's authorizer says of an account and claims."""
    question = ["auth", "can-i", verb, "leases.coordination.k8s.io", "-n", "certorder-claims", "--as", account]
    return kubectl(*question, check=False).strip()


# == Installing and upgrading


# What the page's file has, and what must not be lost: it decides between one Role and a ClusterRole.
SET = {"watchNamespaces": ["shop"], "rbac": {"userRoles": False}}


def with_values(shell):
    [text, *_] = INSTALL.blocks("With Helm", "yaml")
    shell.write("certorder.yaml", text + yaml.safe_dump(SET))


def is_as_it_was_set():
    assert args()[0] == 2
    assert "--watch-namespace=shop" in args()[1]
    assert names("role", "-n", "shop") == {"certorder"}
    assert not [name for name in names("clusterrole") | names("clusterrolebinding") if name.startswith("certorder")]
    assert names("poddisruptionbudget", "-n", "certorder") == {"certorder"}


@real
@pytest.mark.parametrize("step", [0, 1], ids=["with the file", "without the file"])
def test_the_last_release_is_upgraded_and_keeps_what_it_was_given(shell, step):
    namespace("shop")
    with_values(shell)
    shell.chart = LAST_RELEASE
    shell.type(INSTALL.commands("With Helm")[0])
    is_as_it_was_set()
    assert "certorder-claims" not in names("namespace")
    before = order()
    shell.chart = CHARTS / "certorder"
    helm = [command for command in INSTALL.commands("Upgrading") if command.startswith("helm upgrade")]
    assert ("--values certorder.yaml" in helm[step]) == (step == 0)
    if step == 1:
        (shell.directory / "certorder.yaml").unlink()
    shell.type(helm[step])
    is_as_it_was_set()
    # What is new came with it, and the order is the one that was there.
    assert names("role", "-n", "certorder-claims") == {"certorder.certorder"}
    for crd in items("crd", *sorted(crds())):
        assert crd["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"
    assert the_order()["metadata"]["uid"] == before["metadata"]["uid"]


@real
def test_reuse_values_is_what_fails(shell):
    """The reason of the advice. It fails with every chart that has a new nested value."""
    namespace("shop")
    with_values(shell)
    shell.chart = LAST_RELEASE
    shell.type(INSTALL.commands("With Helm")[0])
    shell.chart = CHARTS / "certorder"
    done = shell.attempt(f"helm upgrade certorder {PUBLISHED} --namespace certorder --reuse-values")
    assert done.returncode != 0 and "nil pointer" in done.stderr


@real
def test_with_helm_each_command_keeps_what_was_set(shell):
    namespace("shop")
    with_values(shell)
    typed = shell.follow(INSTALL.commands("With Helm"))
    assert len(typed) == 3
    is_as_it_was_set()
    assert "--max-orders-per-namespace=20" in args()[1]
    # The policy on domains, from another section: the namespace's annotation and another value.
    shell.follow(INSTALL.commands("Bounds on spending"))
    is_as_it_was_set()
    assert "--max-orders-per-namespace=20" in args()[1]
    assert "certorder-domains" in names("validatingadmissionpolicy")


@real
def test_the_plain_manifests_are_installed_and_upgraded(shell):
    shell.follow(INSTALL.commands("With kubectl or kustomize"))
    [command] = [text for text in INSTALL.commands("Upgrading") if text.startswith("kubectl")]
    shell.type(command)
    assert args()[0] == 1
    assert names("role", "-n", "certorder-claims") == {"certorder.certorder"}


@real
def test_a_team_gets_its_namespaces_and_a_role_among_the_claims(shell):
    namespace("shop")
    namespace("bank")
    shell.write("team.yaml", INSTALL.blocks("For some namespaces only", "yaml")[0])
    commands = INSTALL.commands("For some namespaces only")
    shell.follow(commands[:2])
    before = names("clusterrole")
    shell.type(commands[2])
    assert names("role", "-n", "certorder-claims") == {"team.certorder"}
    assert names("clusterrole") == before >= {"certorder-orders-view", "certorder-orders-edit", "certorder-profiles-admin"}
    # The team may not make the Role among the claims itself.
    shell.type("helm uninstall certorder --namespace team")
    shell.write("team.yaml", INSTALL.blocks("For some namespaces only", "yaml")[0] + "claims: {rbac: false}\n")
    shell.type(commands[2])
    assert not names("role", "-n", "certorder-claims")
    shell.type(commands[3])
    assert names("role,rolebinding", "-n", "certorder-claims") == {"team.certorder"}
    account = "system:serviceaccount:team:certorder"
    for verb in ("get", "list", "create", "update", "delete", "patch", "watch"):
        expected = "no" if verb in ("patch", "watch") else "yes"
        assert may(account, verb) == expected, verb


@real
def test_a_team_that_administers_only_its_namespaces_installs_and_upgrades_as_the_page_says(shell):
    for name in ("shop", "bank", "team"):
        namespace(name)
        kubectl("-n", name, "create", "rolebinding", "lead", "--clusterrole", "admin", "--group", "team")
    [text] = INSTALL.blocks("For some namespaces only", "yaml")
    [*shared, install, roles, role, binding] = INSTALL.commands("For some namespaces only")
    assert "(without `--create-namespace`)" in INSTALL.section("For some namespaces only")
    install = install.replace(" --create-namespace", "")
    shell.write("team.yaml", text)
    shell.follow(shared)
    lead = " --kube-as-user lead --kube-as-group team"
    done = shell.attempt(install + lead + " --set claims.rbac=false")
    assert done.returncode != 0 and "permissions not currently held" in done.stderr
    shell.type("helm uninstall certorder --namespace team")
    shell.write("team.yaml", yaml.safe_dump(yaml.safe_load(text) | {"rbac": {"create": False, "userRoles": False}}))
    assert "roles for users (rbac.userRoles)" in shell.type(install + lead)
    shell.type(roles)
    account = "system:serviceaccount:team:certorder"
    assert may(account, "create") == "yes"
    assert kubectl("auth", "can-i", "patch", "certificateorders.certorder.dev", "-n", "bank", "--as", account) == "yes\n"
    upgrade = install.replace("helm install", "helm upgrade")
    done = shell.attempt(upgrade + lead)
    assert done.returncode != 0 and 'cannot get resource "customresourcedefinitions"' in done.stderr
    try:
        shell.type(role)
        shell.type(binding)
        shell.type(upgrade + lead)
    finally:
        kubectl("delete", "clusterrole,clusterrolebinding", "certorder-crds-view", "--ignore-not-found")


@real
def test_the_claims_show_which_order_has_a_certificate(shell):
    shell.type("kubectl apply --server-side -k deploy/crds")
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "certorder-0",
            "namespace": "certorder-claims",
            "annotations": {"certorder.dev/order": "www", "certorder.dev/order-namespace": "shop"},
        },
        "spec": {"holderIdentity": "a"},
    }
    kubectl("create", "-f", "-", text=json.dumps(lease))
    [command] = INSTALL.commands("Claims")
    assert shell.type(command).splitlines()[-1].split() == ["certorder-0", "shop", "www"]


@real
def test_two_teams_install_the_same_release_beside_each_other(shell):
    namespace("shop")
    namespace("bank")
    [crds_and_claims, _, install, *_] = INSTALL.commands("For some namespaces only")
    shell.type(crds_and_claims)
    for team, watched in (("team", "shop"), ("pki", "bank")):
        values = yaml.safe_load(INSTALL.blocks("For some namespaces only", "yaml")[0])
        shell.write("team.yaml", yaml.safe_dump(values | {"watchNamespaces": [watched]}))
        shell.type(install.replace("--namespace team", f"--namespace {team}"))
    assert names("role", "-n", "certorder-claims") == {"team.certorder", "pki.certorder"}
    for team in ("team", "pki"):
        assert may(f"system:serviceaccount:{team}:certorder", "create") == "yes"
    shell.type("helm uninstall certorder --namespace pki")
    assert names("role,rolebinding", "-n", "certorder-claims") == {"team.certorder"}


@real
def test_orders_among_the_further_objects_come_with_an_upgrade(shell):
    namespace("shop")
    shell.write("certorder.yaml", yaml.safe_dump({"extraObjects": [yaml.safe_load(ORDER)]}))
    install, _, upgrade, _ = INSTALL.commands("With Helm")
    done = shell.attempt(install)
    assert done.returncode != 0 and "no matches for kind" in done.stderr
    assert "no matches for kind" in INSTALL.section("With Helm")
    shell.type(install.replace(" --values certorder.yaml", ""))
    shell.type(upgrade)
    assert [item["metadata"]["name"] for item in orders()] == ["www"]


@real
def test_crds_of_another_installation_are_taken_over(shell):
    shell.write("certorder.yaml", "{}")
    [take] = INSTALL.commands("CRDs of another installation")
    # Those that kubectl applied.
    shell.type("kubectl apply --server-side -k deploy/crds")
    plain = take.replace(" --take-ownership --force-conflicts", "")
    assert shell.attempt(plain).returncode != 0
    shell.type(take)
    # Those that a release of another name in another namespace left.
    shell.type("helm uninstall certorder --namespace certorder")
    other = take.replace("--install certorder", "--install orders").replace("--namespace certorder", "--namespace pki")
    done = shell.attempt(other.replace(" --take-ownership --force-conflicts", ""))
    assert done.returncode != 0 and "invalid ownership metadata" in done.stderr
    shell.type(other)
    assert args("orders-certorder", "pki")[0] == 1
    assert names("role", "-n", "certorder-claims") == {"pki.orders-certorder"}


@real
def test_crds_that_are_not_kept_are_not_deleted_without_a_word(shell):
    namespace("shop")
    upgrade = f"helm upgrade --install certorder {PUBLISHED} --namespace certorder --create-namespace"
    shell.type(f"{upgrade} --set crds.keep=false")
    order()
    for values in ("crds.enabled=false,crds.keep=false", "crds.enabled=false,crds.keep=true"):
        done = shell.attempt(f"{upgrade} --set {values}")
        assert done.returncode != 0 and "every" in done.stderr and "crds.keep=true" in done.stderr
    # As the message and the page say: first kept, then left to others.
    shell.type(f"{upgrade} --set crds.keep=true")
    shell.type(f"{upgrade} --set crds.enabled=false")
    assert len(crds()) == 2 and len(orders()) == 1
    shell.type(f"{upgrade} --set crds.keep=false --take-ownership")
    shell.type(f"{upgrade} --set crds.keep=false,crds.enabled=false,crds.confirmDeletion=true")
    # Helm does not wait for their deletion.
    until(lambda: not crds(), "the CRDs are still there")
    assert "certorder-claims" in names("namespace")


# == Uninstalling


@contextlib.contextmanager
def an_operator():
    """What the operator does at an order's deletion, with the rights that it has at that moment: it takes its finalizer
    off. Without its roles it can do nothing, as without its Pod."""
    end = threading.Event()
    account = ["--as", "system:serviceaccount:certorder:certorder"]

    def work():
        while not end.wait(0.3):
            try:
                found = json.loads(kubectl(*account, "get", "certorder", "-A", "-o", "json", check=False) or "{}")
            except (ValueError, subprocess.TimeoutExpired):
                continue
            for item in found.get("items", []):
                metadata = item["metadata"]
                if "deletionTimestamp" in metadata and metadata.get("finalizers"):
                    which = ["-n", metadata["namespace"], "patch", "certorder", metadata["name"]]
                    kubectl(*account, *which, *NO_FINALIZER, check=False)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


HELM, PLAIN = 0, 1
INSTALLED_BY = [INSTALL.commands("With Helm")[0], INSTALL.commands("With kubectl or kustomize")[0]]


@real
@pytest.mark.parametrize("way", [HELM, PLAIN], ids=["Helm", "kubectl"])
def test_an_operator_that_is_uninstalled_leaves_orders_and_claims(shell, way):
    namespace("shop")
    shell.write("certorder.yaml", "{}")
    shell.type(INSTALLED_BY[way])
    before = order()
    commands = INSTALL.commands("Uninstalling")
    assert commands[HELM].startswith("helm uninstall") and commands[PLAIN].startswith("kubectl delete -k")
    shell.type(commands[way])
    assert not items("deployment", "-n", "certorder") and not names("role", "-n", "certorder-claims")
    assert [item["metadata"]["uid"] for item in orders()] == [before["metadata"]["uid"]]
    assert "certorder-claims" in names("namespace")
    # One that is installed again goes on.
    shell.type(INSTALLED_BY[way])
    assert [item["metadata"]["uid"] for item in orders()] == [before["metadata"]["uid"]]


@real
@pytest.mark.parametrize("way", [HELM, PLAIN], ids=["Helm", "kubectl"])
def test_everything_is_removed_by_the_steps_of_the_page_with_an_order_that_has_a_finalizer(shell, way):
    namespace("shop")
    shell.write("certorder.yaml", "{}")
    shell.type(INSTALLED_BY[way])
    order()
    finalizer()
    steps = INSTALL.commands("Removing everything")
    uninstall = INSTALL.commands("Uninstalling")[way]
    # The second step is said in words, with the commands of the section before.
    words = " ".join(INSTALL.section("Removing everything").split())
    assert words.index(steps[1]) < words.index(f"`{uninstall}`") < words.index(steps[3])
    with an_operator():
        shell.follow(steps[:2])
        assert not orders()
        shell.type(uninstall)
        shell.follow(steps[2:7])
    assert not crds()
    assert not {"certorder-claims", "certorder"} & names("namespace")


@real
def test_the_wrong_order_is_mended_as_the_page_says(shell):
    namespace("shop")
    shell.type(INSTALLED_BY[PLAIN])
    order()
    finalizer()
    with an_operator():
        # The operator's rights are gone before the order is deleted, so this never returns.
        shell.type("kubectl delete -k deploy/operator")
        assert shell.attempt("timeout 10 kubectl delete -k deploy/crds").returncode == 124
        assert len(orders()) == 1
        words = " ".join(INSTALL.section("Removing everything").split())
        again = "kubectl apply --server-side -k deploy/"
        assert f"`{again}`" in words
        shell.type(f"until {again}; do sleep 1; done")
        until(lambda: not orders(), "the order is still there")


@real
def test_a_finalizer_is_taken_off_by_hand_as_the_page_says(shell):
    namespace("shop")
    shell.type("kubectl apply --server-side -k deploy/crds")
    order()
    finalizer()
    shell.type("kubectl -n shop delete certorder www --wait=false")
    assert len(orders()) == 1
    shell.type(INSTALL.commands("Removing everything")[-1])
    assert not orders()


# == Orders


@pytest.fixture
def served(shell):
    """The CRDs, and an order."""
    namespace("shop")
    shell.type("kubectl apply --server-side -k deploy/crds")
    order()
    return shell


def status(generation, **conditions):
    moment = "2026-11-28T00:00:00Z"
    found = [
        {"type": name, "status": value, "reason": "Test", "message": f"{name} says so", "lastTransitionTime": moment}
        for name, value in conditions.items()
    ]
    patch = json.dumps({"status": {"observedGeneration": generation, "conditions": found}})
    kubectl("-n", "shop", "patch", "certorder", "www", "--subresource", "status", "--type", "merge", "-p", patch)


def waits(shell, kubeconfig=KUBECONFIG):
    """The page's command for a pipeline, begun."""
    [command] = GITOPS.commands("What to wait for")
    assert command.startswith("timeout 240h examples/wait-for-order.sh shop www")
    environment = shell.environment | {"PAUSE": "0.2", "KUBECONFIG": str(kubeconfig)}
    return subprocess.Popen(
        ["bash", "-c", command], cwd=shell.directory, env=environment, stderr=subprocess.PIPE, text=True,
    )


def ends(process):
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@real
def test_a_pipeline_ends_when_the_order_is_ready_stalled_or_deleted(served):
    process = waits(served)
    status(1, Ready="Unknown", Reconciling="True")
    assert process.poll() is None
    status(1, Ready="True", Issued="True")
    assert ends(process)[0] == 0
    status(1, Ready="False", Stalled="True")
    code, said = ends(waits(served))
    assert code == 1 and "Ready says so" in said
    status(1, Ready="Unknown", Reconciling="True")
    process = waits(served)
    kubectl("-n", "shop", "delete", "certorder", "www")
    assert ends(process)[0] == 2


@real
def test_a_pipeline_ends_when_its_token_is_worth_nothing_any_more(served):
    # A token that ran out and one whose ServiceAccount is gone get the same answer: 401.
    kubectl("-n", "shop", "create", "serviceaccount", "ci")
    kubectl("-n", "shop", "create", "role", "ci", "--verb", "get", "--resource", "certificateorders.certorder.dev")
    kubectl("-n", "shop", "create", "rolebinding", "ci", "--role", "ci", "--serviceaccount", "shop:ci")
    config = yaml.safe_load(open(KUBECONFIG, encoding="utf-8"))
    token = kubectl("-n", "shop", "create", "token", "ci")
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    served.write("ci.kubeconfig", yaml.safe_dump(config))
    process = waits(served, served.directory / "ci.kubeconfig")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    kubectl("-n", "shop", "delete", "serviceaccount", "ci")
    code, said = ends(process)
    assert code == 3 and "logged in" in said


@real
def test_a_mode_that_was_patched_by_hand_conflicts_and_one_that_was_edited_does_not(served):
    apply = "kubectl apply --server-side -f order.yaml"
    for text in (ORDER.replace("mode: Plan", "mode: Apply"), ORDER):
        served.write("order.yaml", text)
        served.type(apply)
    kubectl("-n", "shop", "patch", "certorder", "www", "--type", "merge", "-p", '{"spec": {"mode": "Apply"}}')
    done = served.attempt(apply)
    assert done.returncode != 0 and ".spec.mode" in done.stderr
    assert "conflict" in GITOPS.section("A plan first")
    served.follow(GITOPS.commands("A plan first"))


@real
def test_events_of_an_order_are_shown_with_the_last_one_last(served):
    regarding = {
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "name": "www", "namespace": "shop",
        "uid": the_order()["metadata"]["uid"],
    }
    for number, (reason, second) in enumerate([("Ordered", 2), ("Submitted", 1), ("Issued", 3)]):
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"www.{number}", "namespace": "shop"},
            "eventTime": f"2026-11-28T00:00:0{second}.000000Z",
            "type": "Normal",
            "reason": reason,
            "note": "n",
            "action": "Act",
            "reportingController": "certorder.dev",
            "reportingInstance": "certorder-0",
            "regarding": regarding,
        }
        kubectl("create", "-f", "-", text=json.dumps(event))
    [command] = [text for text in QUICKSTART.commands("1. See it work") if " events " in text]
    said = served.type(command.replace("certorder-example", "shop"))
    assert [line.split()[2] for line in said.splitlines()[1:]] == ["Submitted", "Ordered", "Issued"]


@real
def test_the_quickstart_is_typed_from_the_installation_on(shell):
    # What its first part leaves.
    shell.type("kubectl apply --server-side -f crds/")
    commands = QUICKSTART.commands("2. Install it")
    shell.follow([command for command in commands if not command.startswith("kubectl -n shop get")][:2])
    shell.follow([command for command in commands if command.startswith("helm install")])
    assert args()[0] == 1
    try:
        shell.follow([command for command in commands if command.startswith("kubectl")])
        assert [item["metadata"]["name"] for item in orders()] == ["blog"]
    finally:
        kubectl("label", "namespace", "shop", f"{MINE}=yes", check=False)


# == The guide


def guide_files(cloud):
    """The files that the guide has its reader write, for one cloud."""
    found, nameless = {}, []
    for block in GUIDE.all_blocks("yaml"):
        named = re.match(r"# (\S+)\n", block)
        if named:
            found[named[1]] = block
        else:
            nameless.append(block)
    if cloud == "huawei":
        [fields] = nameless
        kept, _ = found["www.yaml"].split("  credentialsRef:")
        found["www.yaml"] = kept + fields
    return found


@pytest.fixture
def gateway_api(shell):
    """The kinds of Gateway API, which belong to the cluster."""
    names = [f"{kind}.gateway.networking.k8s.io" for kind in ("gateways", "httproutes", "referencegrants")]
    shell.type(f"kubectl apply --server-side -f {GATEWAY_API}")
    served = "kubectl get " + ",".join(names)
    until(lambda: shell.attempt(served).returncode == 0, "Gateway API is not served")
    yield
    kubectl("delete", "crd", *names)


@real
@pytest.mark.parametrize("cloud", ["tencent", "huawei"])
def test_the_guide_is_typed_with_its_files(shell, gateway_api, cloud):
    """tests/it/guide.rs has the same order issued and renewed; here a certificate of our own stands in for that."""
    shell.type("kubectl apply --server-side -k deploy/crds")
    shell.type("kubectl apply --server-side -f deploy/operator/user-roles.yaml")
    until(lambda: shell.attempt("kubectl get certorder,orgprof").returncode == 0, "orders are not served")
    files = guide_files(cloud)
    assert set(files) == {"acme.yaml", "www.yaml", "ingress.yaml", "gateway.yaml", "grant.yaml"}
    for name, text in files.items():
        shell.write(name, text)
    commands = [command for title in re.findall(r"^## (.+)$", GUIDE.text, re.M) for command in GUIDE.commands(title)]
    [waits] = [command for command in commands if command.startswith("examples/wait-for-order.sh")]
    [shows] = [command for command in commands if "openssl" in command]
    try:
        for command in commands:
            if command == waits:
                shell.type(
                    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=www.acme.example"
                    " && kubectl -n shop create secret tls www-tls --cert cert.pem --key key.pem"
                )
                continue
            said = shell.type(command)
            assert command != shows or "www.acme.example" in said
        shell.type("kubectl apply -f grant.yaml")
        [written] = orders()
        assert written["spec"]["mode"] == "Apply"
        assert list(written["spec"]["provider"]) == [f"{cloud}Cloud"]
    finally:
        kubectl("label", "namespace", "shop", f"{MINE}=yes", check=False)
