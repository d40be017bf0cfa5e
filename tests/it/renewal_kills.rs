//! The operator is killed at each call to the cloud and at each write to the API server of a renewal, before and after the
//! reply, and started again: one certificate after the other of one order. Each is submitted once, and the Secret always has
//! a pair that fits and never ends earlier.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder::provider::registry;
use certorder_sim::huawei;
use certorder_sim::proxy::{Action, Proxy, Rule};
use certorder_sim::tencent::{self, ReissueRules, ReissuedEnd, Start, Succession, Way};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::clouds::{Cloud, Kind, Product};
use crate::renewals::{days, issue, made, order, secret_fits, until_current};
use crate::secret_watch::SecretWatch;
use crate::world::{World, ahead_at, condition, message};

/// From when on certificates live 47 days, so that many fit into a paid term.
const BEGIN: &str = "2029-04-01T00:00:00Z";

/// The most renewals of one order.
const RENEWALS: usize = 8;

#[tokio::test]
async fn a_kill_around_any_request_hands_a_waiting_successor_in_once() {
    Box::pin(kill_everywhere(Course::Waiting)).await;
}

#[tokio::test]
async fn a_kill_around_any_request_takes_over_what_the_cloud_filed() {
    Box::pin(kill_everywhere(Course::Filed)).await;
}

#[tokio::test]
async fn a_kill_around_any_request_asks_for_a_reissue_once() {
    Box::pin(kill_everywhere(Course::Reissue)).await;
}

/// How a successor comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Course {
    /// Tencent Cloud makes it, and it waits for its application.
    Waiting,
    /// Huawei Cloud makes it, and files its application.
    Filed,
    /// Tencent Cloud is asked to reissue the certificate.
    Reissue,
}

/// The requests at which the operator is killed.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// Writes to the API server. Events tell of what is stored, and nothing depends on them.
    Api,
    /// Calls to the cloud, reads included.
    Cloud,
    /// Calls of this name to the cloud.
    Call(&'static str),
}

/// One order, and the certificate that it has now.
struct Series {
    world: World,
    course: Course,
    head: String,
    /// The one that the cloud made to take its place; `None` if it has to be asked for.
    next: Option<String>,
    watch: SecretWatch,
}

impl Course {
    /// The calls that change something at the cloud.
    fn writes(self) -> &'static [&'static str] {
        match self {
            Self::Waiting => Kind::Tencent.names().apply,
            Self::Filed => &[],
            Self::Reissue => &["ReplaceCertificate"],
        }
    }
}

async fn kill_everywhere(course: Course) {
    let mut series = Series::begin(course).await;
    let mut number = 1;
    while Box::pin(series.renew(Line::Api, number, Action::HoldAfter)).await {
        number += 1;
        // Every key of a chain is read for a swap, so a long one takes its time.
        if number % RENEWALS == 0 {
            series = Series::begin(course).await;
        }
    }
    assert!(number > 5, "{course:?}: {number} writes");
    for call in course.writes() {
        for action in [Action::HoldBefore, Action::HoldAfter] {
            assert!(Box::pin(series.renew(Line::Call(call), 1, action)).await, "{course:?} {call}");
        }
    }
    let calls = Box::pin(series.renew_with_a_kill_at_every_call()).await;
    assert!(calls > 3, "{course:?}: {calls} calls");
}

impl Series {
    /// An issued order with its Secret, in a paid term of many years.
    async fn begin(course: Course) -> Self {
        let mut world = match course {
            Course::Filed => World::quiet_at(Kind::Huawei).await,
            Course::Waiting => World::quiet_at(Kind::Tencent).await,
            Course::Reissue => {
                let end = ReissuedEnd::NewLeaf;
                World::quiet_with(ReissueRules { end, ..ReissueRules::default() }).await
            }
        };
        let head = world.certificate().to_owned();
        world.site.buy(&head, Product::Dv);
        match &world.site {
            Cloud::Tencent(cloud, _) => cloud.set_term(&head, 50, tencent::Plan::Classic).unwrap(),
            Cloud::Huawei(cloud, _) => cloud.set_term(&head, 50, huawei::Plan::Single).unwrap(),
        }
        world.run_ahead(ahead_at(BEGIN.parse().unwrap()));
        let renewal = match course {
            Course::Reissue => json!({"policy": "Reissue"}),
            Course::Waiting | Course::Filed => Value::Null,
        };
        world.create::<CertificateOrder>(order(&world, &renewal)).await;
        world.until_is("www", "Ordered", "True", "Accepted").await;
        issue(&world, &head);
        until_current(&world, &head).await;
        let watch = SecretWatch::start(&world);
        world.kill();
        Self { world, course, head, next: None, watch }
    }

    /// One renewal that is killed at the request of this number, and again before the next one of the kind, which finds the
    /// same as after the reply. False if it was done before that. The operator does not run before and after it.
    async fn renew(&mut self, line: Line, number: usize, action: Action) -> bool {
        let what = format!("{:?} {line:?} {number} {action:?}", self.course);
        let before = self.let_time_pass().await;
        let killed = self.is_killed(line, action, number, &what).await;
        if killed {
            self.is_killed(line, Action::HoldBefore, 1, &what).await;
        }
        self.finish(&before, &what).await;
        killed
    }

    /// One renewal of many operators: the first is killed at its first call to the cloud, the second at its second, until one
    /// lives. Returns how many there were.
    async fn renew_with_a_kill_at_every_call(&mut self) -> usize {
        let what = format!("{:?}, every call", self.course);
        let before = self.let_time_pass().await;
        let mut number = 1;
        while self.is_killed(Line::Cloud, Action::HoldAfter, number, &what).await {
            number += 1;
        }
        self.finish(&before, &what).await;
        number
    }

    /// Lets the time pass until the certificate is due for renewal, and returns the status.
    async fn let_time_pass(&mut self) -> CertificateOrderStatus {
        let before = self.world.status("www").await;
        // A reissue is due 33 days before the end, and refused in the last 30.
        let left = days(if self.course == Course::Reissue { 31 } else { 12 });
        self.world.turn_clocks(ahead_at(before.not_after.as_ref().unwrap().0) - left);
        self.next = self.make_successor();
        before
    }

    /// The operator lives until the renewal is done.
    async fn finish(&mut self, before: &CertificateOrderStatus, what: &str) {
        let is_lost = self.intends_and_did_not_call().await;
        self.world.run_again();
        self.world.poke("www").await;
        if is_lost {
            self.ask_in_the_console(what).await;
        }
        let id = self.renewed().await;
        let status = self.world.status("www").await;
        assert!(status.not_after > before.not_after, "{what}");
        assert!(self.next.as_ref().is_none_or(|next| *next == id), "{what}");
        self.check(&id, what).await;
        self.world.kill();
        self.head = id;
    }

    /// Runs the operator until it is killed at this request, or the renewal is done. False if it was done, or cannot be without
    /// a person.
    async fn is_killed(&mut self, line: Line, action: Action, number: usize, what: &str) -> bool {
        if self.intends_and_did_not_call().await {
            return false;
        }
        let rule = match line {
            Line::Api => Rule::new(action).write().path_where(|path| !path.contains("/events")),
            Line::Cloud => Rule::new(action),
            Line::Call(call) => self.world.kind.rule(action, call),
        };
        self.proxy(line).fault(rule.nth(number));
        self.world.run_again();
        self.world.poke("www").await;
        let proxy = self.proxy(line);
        let killed = tokio::select! {
            () = proxy.killed() => true,
            _ = self.renewed() => false,
        };
        proxy.clear();
        self.world.kill();
        assert!(self.world.calls_of("ReplaceCertificate", &self.head) <= 1, "{what}");
        killed
    }

    fn proxy(&self, line: Line) -> &Proxy {
        match line {
            Line::Api => &self.world.api,
            Line::Cloud | Line::Call(_) => self.world.line(),
        }
    }

    /// The successor that the cloud makes by itself.
    fn make_successor(&self) -> Option<String> {
        match (&self.world.site, self.course) {
            (Cloud::Huawei(cloud, _), _) => {
                Some(cloud.make_successor(&self.head, huawei::Succession::default()).unwrap())
            }
            (Cloud::Tencent(cloud, _), Course::Waiting) => {
                let waits = Succession { start: Start::Pending, ..Succession::default() };
                Some(cloud.make_successor(&self.head, Way::MultiYear, &waits).unwrap())
            }
            (Cloud::Tencent(..), _) => None,
        }
    }

    /// Whether the operator is to ask for a reissue, as it stored, and did not.
    async fn intends_and_did_not_call(&self) -> bool {
        let intent = self.world.status("www").await.renewal.and_then(|renewal| renewal.intent);
        intent.is_some() && self.world.calls_of("ReplaceCertificate", &self.head) == 0
    }

    /// The order says that it does not know, and makes no second call for more than ten minutes. A person asks for the reissue
    /// meanwhile.
    async fn ask_in_the_console(&self, what: &str) {
        let waits = self.world.until_is("www", "Renewing", "True", "SuccessorNotFound").await;
        let says = message(&waits, "Renewing");
        assert!(says.contains("not recorded and not visible at the cloud"), "{what}: {says}");
        assert_eq!(condition(&waits, "Ready"), Some(("True".into(), "Issued".into())), "{what}");
        assert_eq!(self.world.calls_of("ReplaceCertificate", &self.head), 0, "{what}");
        let links = Succession::default();
        self.world.cloud.make_successor(&self.head, Way::Reissue, &links).unwrap();
        self.world.poke("www").await;
    }

    /// Waits until another certificate is in use, which the CA issues meanwhile, and returns its id.
    async fn renewed(&self) -> String {
        let is_other = |status: &CertificateOrderStatus| {
            status.current.as_ref().is_some_and(|current| current.certificate_id != self.head)
        };
        let done = async {
            let status = self.world.until("www", "renewed", is_other).await;
            let id = status.current.unwrap().certificate_id;
            until_current(&self.world, &id).await;
            id
        };
        tokio::select! {
            id = done => id,
            () = self.play() => unreachable!("the CA never ends"),
        }
    }

    /// Simulates the CA, which issues what is ordered, as the order of the successor says.
    async fn play(&self) {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            let id = match (&self.world.site, &self.next) {
                (Cloud::Tencent(cloud, _), None) => {
                    cloud.certificate(&self.head).unwrap().successors.reissued_to
                }
                (_, next) => next.clone(),
            };
            let Some(id) = id.filter(|id| !self.is_issued(id)) else { continue };
            let is_ordered = |order: &CertificateOrder| {
                let ordered = order.status.as_ref().and_then(|status| condition(status, "Ordered"));
                registry::certificate_id(&order.spec.provider) == id
                    && ordered.is_some_and(|(is, _)| is == "True")
            };
            if made(&self.world).await.iter().any(is_ordered) {
                issue(&self.world, &id);
            }
        }
    }

    fn is_issued(&self, id: &str) -> bool {
        match &self.world.site {
            Cloud::Tencent(cloud, _) => cloud.certificate(id).unwrap().status == tencent::Status::ISSUED,
            Cloud::Huawei(cloud, _) => cloud.certificate(id).unwrap().status == huawei::Status::ISSUED,
        }
    }

    async fn check(&mut self, next: &str, what: &str) {
        let Self { world, course, head, watch, .. } = self;
        watch.check(world, what).await;
        assert!(secret_fits(world, world.now()).await, "{what}");
        let secret: Secret = world.api_of().get("www-tls").await.unwrap();
        assert_eq!(secret.annotations()["certorder.dev/current-certificate-id"], next, "{what}");
        for call in world.kind.names().apply {
            let times = usize::from(*course == Course::Waiting);
            assert_eq!(world.made_for(call, next), times, "{what} {call}");
            assert!(world.calls_of(call, next) <= times + 1, "{what} {call}");
        }
        assert!(world.calls_of("ReplaceCertificate", head) <= 1, "{what}");
        let id = |order: &CertificateOrder| registry::certificate_id(&order.spec.provider).to_owned();
        let orders = made(world).await.iter().filter(|order| id(order) == next).count();
        assert_eq!(orders, 1, "{what}");
    }
}
