//! Both simulated clouds in one process, for clients of any language: prints where they serve, their access keys and
//! what is bought there as one line of JSON, plays the certificate authority, and ends when its standard input does.
//!
//! ```console
//! $ cargo run -p certorder-sim --example clouds
//! {"tencent":{"url":"http://127.0.0.1:39001","keyId":"…","certificates":{…},…},"huawei":{…}}
//! ```

use std::{collections::BTreeMap, error::Error, io, thread, time::Duration};

use certorder_sim::{
    huawei::{self, HuaweiCloud},
    tencent::{self, Company, Manager, ManagerLevel, TencentCloud},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time};

/// How long the authority takes for each step of an order.
const STEP: Duration = Duration::from_millis(50);

const KEY_ID: &str = "AKIDEXAMPLE0123456789abcdefghijklmno";
const SECRET_KEY: &str = "SecretKeyExample0123456789ABCDEF";
/// A temporary key of the same account, good only with its token.
const TEMPORARY_ID: &str = "TEMPEXAMPLE0123456789";
const TOKEN: &str = "TOKENEXAMPLE==abc/def+123";
const COMPANY: u64 = 1_000_001;
const MANAGER: u64 = 2_000_001;

/// What is bought at Tencent Cloud, by what it is for. The authority leaves orders for those called `held` alone.
const TENCENT: [(&str, &str, tencent::Product); 4] = [
    ("single", "dvSingl1", tencent::Product::DV_SINGLE),
    ("company", "ovSingl1", tencent::Product::OV_SINGLE),
    ("multi", "dvMulti1", tencent::Product::DV_MULTI),
    ("held", "dvHeld01", tencent::Product::DV_SINGLE),
];

/// Becomes of the company's certificate once that is issued: its owner has it reissued in the console.
const REISSUE: &str = "ovAgain1";

/// What is bought at Huawei Cloud.
const HUAWEI: [(&str, &str, huawei::Product); 4] = [
    ("single", "scs1590053258701", huawei::Product::DV_SINGLE),
    ("company", "scs1590053258702", huawei::Product::OV_SINGLE),
    ("multi", "scs1590053258703", huawei::Product::DV_MULTI),
    ("held", "scs1590053258704", huawei::Product::DV_SINGLE),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A client need not be quick to be told that its order is being processed.
    let order_processing = Duration::from_mins(1);
    let tencent = TencentCloud::start(tencent::Options { order_processing, ..Default::default() }).await?;
    let huawei = HuaweiCloud::start(huawei::Options::default()).await?;
    let clouds = json!({"tencent": furnish_tencent(&tencent), "huawei": furnish_huawei(&huawei)});
    println!("{clouds}");
    tokio::select! {
        _ = input_ends() => {}
        failed = play_authority(&tencent, &huawei) => failed?,
    }
    Ok(())
}

/// On a thread of its own, which the process need not wait for.
fn input_ends() -> oneshot::Receiver<()> {
    let (ended, wait) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    wait
}

fn furnish_tencent(cloud: &TencentCloud) -> Value {
    let account = cloud.account(KEY_ID, SECRET_KEY);
    cloud.add_temporary_credential(&account, TEMPORARY_ID, SECRET_KEY, TOKEN, in_an_hour());
    for (_, id, product) in TENCENT {
        cloud.buy(&account, id, product);
    }
    cloud.save_company(&account, company());
    cloud.save_manager(&account, manager());
    json!({
        "url": cloud.url(),
        "keyId": KEY_ID,
        "secretKey": SECRET_KEY,
        "temporaryId": TEMPORARY_ID,
        "token": TOKEN,
        "companyId": COMPANY,
        "managerId": MANAGER,
        "certificates": ids(&TENCENT),
        "reissue": REISSUE,
    })
}

fn furnish_huawei(cloud: &HuaweiCloud) -> Value {
    let account = cloud.account(KEY_ID, SECRET_KEY);
    cloud.add_temporary_credential(&account, TEMPORARY_ID, SECRET_KEY, TOKEN, in_an_hour());
    for (_, id, product) in HUAWEI {
        cloud.buy(&account, id, product);
    }
    json!({
        "url": cloud.url(),
        "keyId": KEY_ID,
        "secretKey": SECRET_KEY,
        "temporaryId": TEMPORARY_ID,
        "token": TOKEN,
        "certificates": ids(&HUAWEI),
    })
}

#[expect(clippy::disallowed_methods, reason = "the clouds' own clocks are the system's, too")]
fn in_an_hour() -> Timestamp {
    Timestamp::now().saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
}

fn ids<P>(bought: &[(&'static str, &'static str, P)]) -> BTreeMap<&'static str, &'static str> {
    bought.iter().map(|(purpose, id, _)| (*purpose, *id)).collect()
}

fn company() -> Company {
    Company {
        id: COMPANY,
        name: "Acme Trading Co., Ltd.".to_owned(),
        country: "中国".to_owned(),
        province: "Guangdong".to_owned(),
        city: "广州".to_owned(),
        address: "No. 101, Example Road".to_owned(),
        phone: "020-12345678".to_owned(),
        ..Company::default()
    }
}

fn manager() -> Manager {
    Manager {
        id: MANAGER,
        company_id: COMPANY,
        status: "ok".to_owned(),
        first_name: "Ning".to_owned(),
        last_name: "Huang".to_owned(),
        position: "R&D".to_owned(),
        phone: "13112341234".to_owned(),
        mail: "pki@acme.example".to_owned(),
        department: "Platform".to_owned(),
        create_time: "2026-01-05 10:00:00".to_owned(),
        levels: vec![ManagerLevel {
            level: "ov".to_owned(),
            status: "completed".to_owned(),
            domains: vec![("acme.example".to_owned(), "2027-01-05 10:00:00".to_owned())],
        }],
        ..Manager::default()
    }
}

/// Moves every order on, one step at a time, but for those that are held: there it only confirms what ends them.
async fn play_authority(tencent: &TencentCloud, huawei: &HuaweiCloud) -> Result<(), Box<dyn Error>> {
    loop {
        time::sleep(STEP).await;
        for id in tencent.running() {
            if !is_held(&TENCENT, &id) || tencent.certificate(&id)?.status.is_ending() {
                tencent.advance(&id)?;
            }
        }
        // Refused until it is issued, and done once.
        if tencent.certificate(REISSUE).is_err() {
            let _ = tencent.reissue("ovSingl1", REISSUE);
        }
        for id in huawei.running() {
            if !is_held(&HUAWEI, &id) || huawei.certificate(&id)?.status == huawei::Status::CANCELCHECKING {
                huawei.advance(&id)?;
            }
        }
    }
}

fn is_held<P>(bought: &[(&str, &str, P)], id: &str) -> bool {
    bought.iter().any(|(purpose, other, _)| *purpose == "held" && *other == id)
}
