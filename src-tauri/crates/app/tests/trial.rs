//! "Test connection" names exactly what is missing: the wrong host, the refused secret, the missing
//! permission, the wrong account, the plan without the feature. Every vendor, against its server.

#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc};

use app::{
    Floorwalker, Ports, Start,
    api::{Ask, FormValue, Reply, SourceForm, TestReport},
    keychain::Keychain,
    ports::NoDesktop,
};
use link::SystemClock;
use model::{
    Health::{self, Denied, Live, Misconfigured, Retrying},
    Vendor::{self, Beyondtrust, Comm100, Giosg, Liveperson, Pingstreams},
};
use simulator::{Control, Fault, Options};

const SECRET: &str = "fake-canary-51b0-secret";

fn start(folder: &Path) -> Floorwalker {
    let start = Start {
        config: folder.join("floorwalker.toml"),
        data: folder.join("data"),
        only: None,
        record: false,
        strict: false,
        demo: false,
        tapes: None,
    };
    let ports = Ports {
        vault: Arc::new(Keychain),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    Floorwalker::start(start, ports).unwrap()
}

/// What is wrong in a case, and what must be said of it.
struct Case {
    vendor: Vendor,
    what: &'static str,
    server: fn(&mut Options),
    control: fn(&Control),
    form: fn(&mut SourceForm),
    health: Health,
    /// Words that the sentence must hold.
    words: &'static [&'static str],
}

impl Case {
    const fn of(vendor: Vendor, what: &'static str, health: Health, words: &'static [&'static str]) -> Self {
        Self { vendor, what, server: |_| {}, control: |_| {}, form: |_| {}, health, words }
    }
}

fn refuse_secret(vendor: Vendor) -> fn(&Control) {
    match vendor {
        Beyondtrust => |c| c.require_secret(Beyondtrust, Some("another")).unwrap(),
        Comm100 => |c| c.require_secret(Comm100, Some("another")).unwrap(),
        Giosg => |c| c.require_secret(Giosg, Some("another")).unwrap(),
        Liveperson => |c| c.require_secret(Liveperson, Some("another")).unwrap(),
        Pingstreams => |c| c.require_secret(Pingstreams, Some("another")).unwrap(),
    }
}

/// An address where nobody listens: the port is taken, so that no server of another case gets it.
fn nobody(form: &mut SourceForm) {
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = taken.local_addr().unwrap().port();
    // Until the tests end.
    std::mem::forget(taken);
    let scheme = if form.vendor == Pingstreams { "ws" } else { "http" };
    form.url = Some(format!("{scheme}://127.0.0.1:{port}/"));
    if form.vendor == Pingstreams {
        form.keys.insert("api_url".into(), FormValue::Text(format!("http://127.0.0.1:{port}/")));
    }
}

/// A host that cannot be.
fn no_such_host(form: &mut SourceForm) {
    let scheme = if form.vendor == Pingstreams { "wss" } else { "https" };
    form.url = Some(format!("{scheme}://support.example.invalid/"));
    if form.vendor == Pingstreams {
        form.keys.insert("api_url".into(), FormValue::Text("https://api.example.invalid/".into()));
    }
}

fn text(form: &mut SourceForm, key: &str, value: &str) {
    form.keys.insert(key.into(), FormValue::Text(value.into()));
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for vendor in Vendor::ALL {
        cases.push(Case::of(vendor, "all is well", Live, &["works", "queues"]));
        cases.push(Case {
            form: nobody,
            ..Case::of(vendor, "wrong port", Retrying, &["127.0.0.1", "address"])
        });
        cases.push(Case {
            form: no_such_host,
            ..Case::of(vendor, "wrong host", Retrying, &["example.invalid", "address"])
        });
        let words: &[&str] = match vendor {
            Beyondtrust => &["refused", "client_id", "secret"],
            Comm100 => &["refused the sign-in", "API key"],
            Giosg => &["refused the sign-in", "token"],
            Liveperson => &["username", "password"],
            Pingstreams => &["email", "password"],
        };
        cases
            .push(Case { control: refuse_secret(vendor), ..Case::of(vendor, "wrong secret", Denied, words) });
    }
    cases.push(Case {
        form: |form| text(form, "company", "nobody"),
        server: |o| o.beyondtrust.require_company = true,
        ..Case::of(Beyondtrust, "wrong account", Retrying, &["company"])
    });
    cases.push(Case {
        server: |o| o.beyondtrust.no_permission = true,
        ..Case::of(Beyondtrust, "missing permission", Denied, &["Real-Time State API", "permission"])
    });
    cases.push(Case {
        control: |c| c.fault(Beyondtrust, "nw", Fault::status(404, "")).unwrap(),
        ..Case::of(Beyondtrust, "no feature", Retrying, &["Real-Time State API"])
    });
    cases.push(Case {
        form: |form| drop(form.keys.insert("site_id".into(), FormValue::Int(4))),
        ..Case::of(Comm100, "wrong account", Denied, &["site_id"])
    });
    cases.push(Case {
        control: |c| c.fault(Comm100, "*", Fault::status(403, r#"{"code":403,"message":"no"}"#)).unwrap(),
        ..Case::of(Comm100, "missing permission", Denied, &["View Reports"])
    });
    cases.push(Case {
        control: |c| c.fault(Comm100, "today", Fault::status(403, "{}")).unwrap(),
        ..Case::of(Comm100, "plan without the feature", Live, &["works, but not today", "plan"])
    });
    cases.push(Case {
        control: |c| {
            c.fault(
                Giosg,
                "*",
                Fault::status(403, r#"{"detail":"You do not have permission to perform this action."}"#),
            )
            .unwrap()
        },
        ..Case::of(Giosg, "missing permission", Denied, &["Reporting"])
    });
    cases.push(Case {
        control: |c| {
            c.fault(
                Giosg,
                "users",
                Fault::status(403, r#"{"detail":"You do not have permission to perform this action."}"#),
            )
            .unwrap()
        },
        ..Case::of(Giosg, "plan without the feature", Live, &["works, but not users", "subscription"])
    });
    cases.push(Case {
        form: |form| text(form, "account", "1"),
        ..Case::of(Liveperson, "wrong account", Misconfigured, &["account"])
    });
    cases.push(Case {
        server: |o| o.liveperson.operations_refuse = true,
        ..Case::of(Liveperson, "missing permission", Live, &["operational"])
    });
    cases.push(Case {
        control: |c| c.fault(Liveperson, "agentsession", Fault::status(403, "{}")).unwrap(),
        ..Case::of(Liveperson, "plan without the feature", Live, &["agent session"])
    });
    cases.push(Case {
        form: |form| text(form, "project", "6b02501f82e5ffffffffffff"),
        ..Case::of(Pingstreams, "wrong account", Misconfigured, &["`project`"])
    });
    cases.push(Case {
        form: |form| text(form, "email", "supervisor@example.test"),
        ..Case::of(Pingstreams, "missing permission", Live, &["works, but not conversations", "role"])
    });
    cases.push(Case {
        form: |form| text(form, "email", "outsider@example.test"),
        ..Case::of(Pingstreams, "no member", Denied, &["project"])
    });
    cases
}

async fn test(case: &Case) -> TestReport {
    let mut options = Options { vendors: vec![case.vendor], ..Options::default() };
    (case.server)(&mut options);
    let centre = simulator::start(options).await.unwrap();
    let control = centre.control();
    control.pause();
    (case.control)(&control);
    let folder = tempfile::tempdir().unwrap();
    let config = centre
        .config_toml()
        .replace("enabled = true", "")
        .replace("[[source]]", "[[source]]\nenabled = false");
    std::fs::write(folder.path().join("floorwalker.toml"), config).unwrap();
    let floorwalker = start(folder.path());
    let Reply::Sources(mut sources) = floorwalker.ask(Ask::Sources).await.unwrap() else { panic!() };
    let mut form = sources.remove(0).form;
    (case.form)(&mut form);
    let reply = floorwalker.ask(Ask::TestSource { form, secret: Some(SECRET.into()) }).await;
    floorwalker.shutdown().await;
    centre.shutdown().await;
    match reply {
        Ok(Reply::TestSource(report)) => report,
        other => panic!("{:?} {}: {other:?}", case.vendor, case.what),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_names_exactly_what_is_missing() {
    let mut wrong = Vec::new();
    let cases = cases();
    let mut reports = Vec::new();
    // Side by side, but not so many that each trial's half minute is short.
    for some in cases.chunks(12) {
        reports.extend(futures_util::future::join_all(some.iter().map(test)).await);
    }
    for (case, report) in cases.iter().zip(reports) {
        let said = report.sentence.to_lowercase();
        let told = case.words.iter().all(|word| said.contains(&word.to_lowercase()));
        let line = format!(
            "{:?}, {}: {:?} {:?} \"{}\"",
            case.vendor, case.what, report.health, report.gaps, report.sentence
        );
        if std::env::var_os("FLOORWALKER_PRINT").is_some() {
            println!("{line}");
        }
        if !told || report.health != case.health || report.sentence.contains(SECRET) {
            wrong.push(line);
        }
        // One plain sentence or two, for a person.
        assert!(report.sentence.ends_with('.') && report.sentence.len() < 400, "{}", report.sentence);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
