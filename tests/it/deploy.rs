//! The plain manifests of `deploy/`: reading and applying them.

use std::path::{Path, PathBuf};

use certorder::process::config::{Cli, Command, Config};
use clap::{CommandFactory, Parser};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{DynamicObject, GroupVersionKind, Patch, PatchParams, ValidationDirective};
use kube::discovery::{Scope, pinned_kind};
use kube::{Api, Client, ResourceExt};
use regex::Regex;

use crate::cluster::{self, Cluster};

/// The namespace that the manifests put the operator into.
pub(crate) const NAMESPACE: &str = "certorder";
/// The namespace of the claims of every operator.
pub(crate) const CLAIMS: &str = "certorder-claims";
/// The ServiceAccount of the operator.
pub(crate) const ACCOUNT: &str = "certorder";

const FIELD_MANAGER: &str = "certorder-stories";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The objects of a folder of the repository and of its subfolders, without the kustomizations.
pub(crate) fn read(folder: &str) -> Vec<DynamicObject> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| path.file_name().is_some_and(|name| name != "kustomization.yaml"))
        .collect();
    files.sort();
    let mut objects: Vec<DynamicObject> = files.iter().flat_map(|file| parse(file)).collect();
    // As kubectl sorts what it applies: namespaces first.
    objects.sort_by_key(|object| kind(object) != "Namespace");
    objects
}

/// The objects of one file of the repository.
pub(crate) fn read_file(file: &str) -> Vec<DynamicObject> {
    parse(&root().join(file))
}

fn parse(file: &Path) -> Vec<DynamicObject> {
    let text = std::fs::read_to_string(file).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What `kubectl apply -k deploy/` applies, but that the policies take the claims of any story for those of the operator.
pub(crate) fn everything() -> Vec<DynamicObject> {
    let mut objects = read("deploy/crds");
    objects.extend(read("deploy/operator"));
    for policy in objects.iter_mut().filter(|object| kind(object) == "ValidatingAdmissionPolicy") {
        let spec = policy.data["spec"].to_string();
        let spec = spec.replace(&format!("== '{CLAIMS}'"), ".endsWith('-claims')");
        policy.data["spec"] = serde_json::from_str(&spec).unwrap();
    }
    objects
}

pub(crate) fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| types.kind.as_str())
}

/// Applies objects as `kubectl apply --server-side` does; a field that the API server does not know is an error. No
/// Pod is started: the operator of a story runs in the test's own process.
pub(crate) async fn apply(client: &Client, objects: &[DynamicObject]) -> Vec<DynamicObject> {
    let mut stored = Vec::new();
    for object in objects {
        let types = object.types.clone().unwrap();
        let (resource, capabilities) =
            pinned_kind(client, &GroupVersionKind::try_from(&types).unwrap()).await.unwrap();
        let mut object = object.clone();
        if types.kind == "Deployment" {
            object.data["spec"]["replicas"] = 0.into();
        }
        let api: Api<DynamicObject> = match (&capabilities.scope, object.namespace()) {
            (Scope::Namespaced, Some(namespace)) => {
                Api::namespaced_with(client.clone(), &namespace, &resource)
            }
            (Scope::Cluster, None) => Api::all_with(client.clone(), &resource),
            _ => panic!("{} {}: a namespace too few or too many", types.kind, object.name_any()),
        };
        let params = PatchParams {
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::apply(FIELD_MANAGER).force()
        };
        let name = object.name_any();
        let applied = api.patch(&name, &params, &Patch::Apply(&object)).await;
        stored.push(applied.unwrap_or_else(|error| panic!("{} {name}: {error}", types.kind)));
    }
    stored
}

fn deployment(folder: &str) -> Deployment {
    let objects = read(folder);
    let found = objects.into_iter().find(|object| kind(object) == "Deployment").unwrap();
    found.try_parse().unwrap()
}

fn arguments(deployment: &Deployment) -> Vec<String> {
    let pod = deployment.spec.template.spec.as_ref().unwrap();
    pod.containers[0].args.clone().unwrap()
}

fn config(arguments: &[String]) -> Config {
    let words = std::iter::once("certorder".to_owned()).chain(arguments.iter().cloned());
    match Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).command {
        Command::Run(config) => *config,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_plain_manifests_are_accepted_and_applying_them_again_changes_nothing() {
    let cluster = Cluster::start(cluster::kubeconfig().as_deref()).await;
    let first = apply(&cluster.client, &everything()).await;
    let again = apply(&cluster.client, &everything()).await;
    assert!(first.len() >= 14);
    for (before, after) in first.iter().zip(&again) {
        // The quota controller and the like write status on a real cluster.
        assert_eq!(before.metadata.generation, after.metadata.generation, "{}", before.name_any());
        assert_eq!(before.metadata.labels, after.metadata.labels, "{}", before.name_any());
        assert_eq!(before.uid(), after.uid(), "{}", before.name_any());
    }
}

#[test]
fn the_operator_understands_the_arguments_of_its_deployments() {
    let everywhere = config(&arguments(&deployment("deploy/operator")));
    assert!(everywhere.watch_namespaces.is_empty());
    assert_eq!(everywhere.http_address.port(), 8080);
    assert_eq!(config(&arguments(&deployment("deploy/namespaced"))).watch_namespaces, ["shop"]);
}

#[test]
fn the_chart_and_the_manifests_have_the_version_of_the_operator() {
    let version = env!("CARGO_PKG_VERSION");
    let pod = deployment("deploy/operator").spec.template.spec.unwrap();
    let image = pod.containers[0].image.clone().unwrap();
    assert_eq!(image, format!("ghcr.io/certorder/certorder:{version}"));
    let chart = std::fs::read_to_string(root().join("charts/certorder/Chart.yaml")).unwrap();
    assert!(chart.contains(&format!("\nversion: {version}\nappVersion: {version}\n")));
}

#[test]
fn every_flag_that_the_chart_passes_is_one_of_the_operator_and_has_the_default_that_the_chart_says() {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let chart = root().join("charts/certorder");
    let values = std::fs::read_to_string(chart.join("values.yaml")).unwrap();
    // "(`--concurrency`; 32)"
    let mentioned = Regex::new(r"\(`--([a-z-]+)`(?:; ([0-9a-z]+))?").unwrap();
    let mut flags = 0;
    for found in mentioned.captures_iter(&values) {
        let flag = &found[1];
        let argument = run.get_arguments().find(|argument| argument.get_long() == Some(flag));
        let argument = argument.unwrap_or_else(|| panic!("--{flag} is no flag of the operator"));
        flags += 1;
        if let (Some(documented), false) = (found.get(2), argument.get_default_values().is_empty()) {
            assert_eq!(argument.get_default_values(), [documented.as_str()], "--{flag}");
        }
    }
    assert!(flags >= 8, "{flags}");
    let template = std::fs::read_to_string(chart.join("templates/_container.tpl")).unwrap();
    let written = Regex::new(r#"(?:- --|^  "|%s=|"--)([a-z]+-[a-z-]+|concurrency)[="]"#).unwrap();
    for found in template.lines().flat_map(|line| written.captures_iter(line)) {
        assert!(
            values.contains(&format!("`--{}`", &found[1])),
            "--{} is not explained in values.yaml",
            &found[1]
        );
    }
}
