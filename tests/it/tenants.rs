//! What the objects of one tenant cost the operator: its memory is bounded by what it uses, and not by what tenants write.
//! The program itself is run, and what it has at the most is compared with the limit of the chart.

use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::{Action, Filling, Rule};
use certorder_sim::tencent::Product;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::deploy;
use crate::fixtures::{self, CERTIFICATE};
use crate::process::Process;
use crate::world::World;

/// What a quota of a namespace would allow.
const OBJECTS: usize = 1000;
/// The longest that the start may take on a busy machine, and the owner's order after it.
const SOON: Duration = Duration::from_mins(5);

/// A text in an annotation that comes to the operator as 1.2 MB: with the rest of an object, the most that the API server
/// takes.
const METADATA: (&str, usize) = ("LARGE-METADATA", 1_200_000);
/// A text in a template, the longest that the schema lets it have in all.
const TEMPLATE: (&str, usize) = ("LARGE-TEMPLATE", 300_000);

/// Creates many objects of a tenant.
async fn create(objects: impl Iterator<Item = impl Future>) {
    stream::iter(objects).buffer_unordered(32).for_each(async |_| ()).await;
}

/// An order of the tenant, as large as can be once it comes to the operator.
fn large_order(number: usize) -> Value {
    let mut order = fixtures::personal(&format!("large-{number}"));
    order["metadata"]["annotations"] = json!({"acme.example/note": METADATA.0});
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(format!("large{number}"));
    order["spec"]["secretTemplate"] = json!({"annotations": {"note": TEMPLATE.0}});
    order
}

fn large_secret(number: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": format!("large-{number}"), "annotations": {"acme.example/note": METADATA.0}},
        "stringData": {"a": "b"},
    })
}

/// The limit of the chart, in KiB.
fn limit() -> u64 {
    let deployment = deploy::read("deploy/operator");
    let deployment = deployment.iter().find(|object| deploy::kind(object) == "Deployment").unwrap();
    let container = &deployment.data["spec"]["template"]["spec"]["containers"][0];
    let limit = container["resources"]["limits"]["memory"].as_str().unwrap();
    limit.strip_suffix("Mi").unwrap().parse::<u64>().unwrap() * 1024
}

/// The program, for the namespaces of both, with these texts made large in every answer of the API server.
fn start(world: &World, tenant: &str, texts: &[(&'static str, usize)]) -> Process {
    let is_large = |path: &str| path.contains("certificateorders") || path.contains("secrets");
    let texts = texts.iter().map(|(text, bytes)| (*text, Filling::Bytes(*bytes))).collect();
    world.api.fault(Rule::new(Action::Replace(texts)).path_where(is_large).always());
    let flags = [
        "--leader-elect=false",
        "--watch-namespace",
        tenant,
        "--call-timeout",
        "20s",
        "--log-level",
        "error",
    ];
    Process::start_with(&world.api.url(), &world.net.url(), &world.namespace, &flags)
}

/// Waits until the operator is ready and has submitted the order of the other tenant. Returns how long that took.
async fn serves_the_other(world: &World, process: &mut Process) -> Duration {
    let begin = Instant::now();
    while process.readyz().await != Some(200) || world.carried_out("CertificateInfoSubmit", CERTIFICATE) == 0
    {
        process.assert_running();
        assert!(begin.elapsed() < SOON, "not served: {}", process.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begin.elapsed()
}

fn assert_bounded(what: &str, process: &Process, took: Duration) {
    let (now, peak, limit) = (process.memory(), process.peak_memory(), limit());
    println!(
        "{what}: {now} KiB resident, {peak} KiB at the most, of {limit} KiB; the other tenant was served after {took:?}"
    );
    assert!(peak < limit, "{peak} KiB at the most, of {limit} KiB");
}

#[tokio::test]
async fn the_largest_orders_that_a_namespace_can_have_take_no_more_memory_than_the_chart_allows() {
    let mut world = World::quiet().await;
    let tenant = world.neighbour().await;
    world.create_in::<Secret>(&tenant, fixtures::credentials()).await;
    create((0..OBJECTS).map(|number| world.create_in::<CertificateOrder>(&tenant, large_order(number))))
        .await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let mut process = start(&world, &tenant, &[METADATA, TEMPLATE]);
    let took = serves_the_other(&world, &mut process).await;
    // Many more orders of the tenant had a pass than are worked at together.
    let begin = Instant::now();
    let has_many = async || {
        let read = world.cloud.ledger().into_iter().filter_map(|call| call.certificate_id);
        read.filter(|id| id.starts_with("large")).collect::<std::collections::BTreeSet<_>>().len()
            >= OBJECTS / 5
    };
    while !has_many().await {
        process.assert_running();
        assert!(begin.elapsed() < SOON, "the tenant is not served: {}", process.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_bounded("orders", &process, took);
}

#[tokio::test]
async fn secrets_with_large_annotations_take_no_more_memory_than_the_chart_allows() {
    let mut world = World::quiet().await;
    let tenant = world.neighbour().await;
    create((0..OBJECTS).map(|number| world.create_in::<Secret>(&tenant, large_secret(number)))).await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let mut process = start(&world, &tenant, &[METADATA]);
    let took = serves_the_other(&world, &mut process).await;
    // Each of them is shown again by the watch.
    let label = json!({"metadata": {"labels": {"team": "a"}}});
    create(
        (0..OBJECTS).map(|number| world.edit_in::<Secret>(&tenant, format!("large-{number}"), label.clone())),
    )
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    process.assert_running();
    assert_bounded("Secrets", &process, took);
}
