//! Cases that need a network of their own: each plays itself once more inside a network namespace, where the
//! kernel itself loses packets, takes addresses away and answers names. Linux only; where no namespace may be
//! made, the case says so and is left out.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use libtest_mimic::Trial;
use model::Vendor;

use crate::{
    cases,
    stand::{PATIENCE, Stand, Watch, secs},
    tls::{Authority, Front, write},
};

const PUSH: [Vendor; 2] = [Vendor::Beyondtrust, Vendor::Pingstreams];
/// Set inside.
const INSIDE: &str = "FLOORWALKER_INSIDE";

pub fn trials() -> Vec<Trial> {
    cases![
        n1_half_open_in_a_namespace,
        n2_one_way_loss_in_a_namespace,
        n11_names_that_do_not_resolve_move_or_lead_into_a_hole,
        n17_an_address_that_is_taken_away_and_given_back,
    ]
}

/// Whether this is the inside. Outside, plays the case there.
async fn inside(case: &'static str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        assert!(ip("link set lo up"), "the inside has a loopback");
        return true;
    }
    let space = ["--net", "--mount", "--map-root-user"];
    let may = |command: &mut Command| {
        command.stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !may(Command::new("unshare").args(space).args(["ip", "link", "set", "lo", "up"])) {
        println!("skipped: {case}: no network namespace may be made here");
        return false;
    }
    let mut command = Command::new("unshare");
    command.args(space).arg(std::env::current_exe().expect("this program")).args(["--exact", case]);
    command.env(INSIDE, "1").stdin(Stdio::null());
    let output = crate::stand::run(command).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter(|l| l.contains("skipped: ")).for_each(|l| println!("{l}"));
    false
}

fn ip(words: &str) -> bool {
    Command::new("ip").args(words.split(' ')).stdin(Stdio::null()).status().is_ok_and(|s| s.success())
}

async fn live(vendors: &[Vendor]) -> (Stand, Watch) {
    let stand = Stand::quiet(vendors).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    for vendor in vendors {
        stand.arrivals(*vendor, 2);
        watch.converges(&stand, *vendor, PATIENCE).await;
    }
    // BeyondTrust's silence counts once a ping was answered: after five seconds of it.
    tokio::time::sleep(secs(6)).await;
    (stand, watch)
}

async fn back(stand: &Stand, mut watch: Watch, vendors: &[Vendor]) {
    for vendor in vendors {
        stand.arrivals(*vendor, 1);
        watch.converges(stand, *vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn n1_half_open_in_a_namespace() {
    if !inside("n1_half_open_in_a_namespace").await {
        return;
    }
    let (stand, mut watch) = live(&PUSH).await;
    // No packet moves, and nobody is told.
    assert!(ip("link set lo down"));
    for vendor in PUSH {
        watch.lost(vendor).await;
    }
    assert!(ip("link set lo up"));
    back(&stand, watch, &PUSH).await;
}

async fn n2_one_way_loss_in_a_namespace() {
    if !inside("n2_one_way_loss_in_a_namespace").await {
        return;
    }
    // Routing decides by port once the local table does not come first.
    if !(ip("rule add pref 100 lookup local") && ip("rule del pref 0")) {
        println!("skipped: n2_one_way_loss_in_a_namespace: this kernel has no rules of routing");
        return;
    }
    for way in ["sport", "dport"] {
        let stand = Stand::quiet(&[Vendor::Pingstreams]).await;
        // Past the relay, which has a line of its own to the server.
        stand.configure(&stand.centre.config_toml());
        let port = stand.centre.address(Vendor::Pingstreams).unwrap().port();
        let mut watch = stand.watch();
        watch.converges(&stand, Vendor::Pingstreams, PATIENCE).await;
        if !ip(&format!("rule add pref 10 ipproto tcp {way} {port} blackhole")) {
            println!("skipped: n2_one_way_loss_in_a_namespace: this kernel routes by no port");
            return;
        }
        watch.lost(Vendor::Pingstreams).await;
        assert!(ip("rule del pref 10"));
        back(&stand, watch, &[Vendor::Pingstreams]).await;
    }
}

async fn n17_an_address_that_is_taken_away_and_given_back() {
    if !inside("n17_an_address_that_is_taken_away_and_given_back").await {
        return;
    }
    let (stand, mut watch) = live(&PUSH).await;
    assert!(ip("addr del 127.0.0.1/8 dev lo"));
    for vendor in PUSH {
        watch.lost(vendor).await;
    }
    assert!(ip("addr add 127.0.0.1/8 dev lo"));
    back(&stand, watch, &PUSH).await;
}

/// The inside's only name server: each name has its own fate.
async fn name_server(moved: Arc<AtomicBool>) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:53").await.expect("the inside's name service");
    tokio::spawn(async move {
        let mut bytes = [0; 512];
        while let Ok((n, from)) = socket.recv_from(&mut bytes).await {
            let Some((name, kind, end)) = question(&bytes[..n]) else { continue };
            let answer: Option<Vec<u8>> = match (name.as_str(), kind) {
                ("moves.test", 1) => Some(vec![127, 0, 0, if moved.load(SeqCst) { 2 } else { 1 }]),
                ("hole.test", 1) => Some(vec![127, 0, 0, 1]),
                ("hole.test", 28) => Some([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].to_vec()),
                ("mute.test", _) => continue,
                _ => None,
            };
            let code = match name.as_str() {
                "none.test" => 3,
                "fails.test" => 2,
                _ => 0,
            };
            let mut reply = bytes[..end].to_vec();
            reply[2..4].copy_from_slice(&[0x81, 0x80 | code]);
            reply[6..12].copy_from_slice(&[0, u8::from(answer.is_some()), 0, 0, 0, 0]);
            if let Some(data) = answer {
                reply.extend([0xc0, 12, 0, kind as u8, 0, 1, 0, 0, 0, 0, 0, data.len() as u8]);
                reply.extend(data);
            }
            let _ = socket.send_to(&reply, from).await;
        }
    });
}

/// Name, type, and where the question ends.
fn question(bytes: &[u8]) -> Option<(String, u16, usize)> {
    let (mut at, mut name) = (12, Vec::new());
    while *bytes.get(at)? != 0 {
        let length = usize::from(bytes[at]);
        name.push(String::from_utf8_lossy(bytes.get(at + 1..at + 1 + length)?).into_owned());
        at += 1 + length;
    }
    let kind = u16::from_be_bytes(bytes.get(at + 1..at + 3)?.try_into().ok()?);
    Some((name.join(".").to_lowercase(), kind, at + 5))
}

async fn n11_names_that_do_not_resolve_move_or_lead_into_a_hole() {
    if !inside("n11_names_that_do_not_resolve_move_or_lead_into_a_hole").await {
        return;
    }
    let (giosg, stand) = (Vendor::Giosg, Stand::quiet(&[Vendor::Giosg]).await);
    let resolv = write(&stand, "resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    let hosts = write(&stand, "nsswitch.conf", "hosts: files dns\n");
    let mount = |what: &std::path::Path, on: &str| {
        let status = Command::new("mount").arg("--bind").arg(what).arg(on).status();
        status.is_ok_and(|s| s.success())
    };
    if !mount(&resolv, "/etc/resolv.conf") || !mount(&hosts, "/etc/nsswitch.conf") {
        println!(
            "skipped: n11_names_that_do_not_resolve_move_or_lead_into_a_hole: the name service cannot be replaced here"
        );
        return;
    }
    // Packets to this net go out and vanish.
    let hole = ip("link add hole type veth peer name bottom")
        && ip("link set hole up")
        && ip("link set bottom up")
        && ip("-6 addr add 2001:db8::2/64 dev hole nodad")
        && ip("-6 neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev hole");
    if !hole {
        println!("skipped: n11 (the hole behind IPv6): no virtual link may be made here");
    }
    let moved = Arc::new(AtomicBool::new(false));
    name_server(moved.clone()).await;
    let authority = Authority::new();
    let root = write(&stand, "root.pem", &authority.pem);
    let to = stand.centre.address(giosg).unwrap();
    let first = Front::open(authority.acceptor("moves.test", |_| {}), to).await;
    let here = Front::open(authority.acceptor("hole.test", |_| {}), to).await;
    let mut text = String::new();
    for name in ["none", "fails", "mute", "moves", "hole"] {
        let front = if name == "moves" { &first } else { &here };
        let source = stand.centre.source_toml(giosg, name);
        text += &front.named(&format!("{name}.test"), &source, to);
        text += &format!("ca_file = {root:?}\npoll = \"2s\"\n");
    }
    stand.configure(&text);
    let mut watch = stand.watch_with(&["--timeout", "1s"]);
    watch.first().await;
    for name in ["none", "fails", "mute"] {
        let source = watch.health(name, &["retrying"]).await;
        let error = source["last_error"].as_str().unwrap_or("");
        assert!(error.contains(&format!("{name}.test")), "{error}");
    }
    watch.health("moves", &["live"]).await;
    if hole {
        watch.health("hole", &["live"]).await;
    }
    // The service moves to another address: only who asks for the name again finds it.
    let place = format!("127.0.0.2:{}", first.address.port());
    let second = Front::open_at(&place, authority.acceptor("moves.test", |_| {}), to).await;
    moved.store(true, SeqCst);
    first.show(Authority::new().acceptor("elsewhere.test", |_| {}));
    watch.until(PATIENCE, "requests at the new address", |_| second.heard.load(SeqCst) > 0).await;
    watch.health("moves", &["live"]).await;
    watch.end();
}
