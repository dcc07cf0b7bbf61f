//! A real Secret Service (gnome-keyring) as the keychain.

use acceptance::desk::{Desk, Services, all_text, programs, text};
use acceptance::floor::{Floor, SECRET};
use model::Vendor;

/// What the keychain itself says to an outsider.
fn looked_up(desk: &Desk, account: &str) -> Option<String> {
    let mut look = desk.command("secret-tool");
    look.args(["lookup", "service", "floorwalker", "username", account]);
    let out = desk.run(&mut look, "");
    out.status.success().then(|| text(&out))
}

#[test]
fn a_secret_goes_into_the_keychain_and_out_again() {
    let Some(programs) = programs("a_secret_goes_into_the_keychain_and_out_again") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let _keychain = floor.unlock_keychain();
    let floorctl = |words: &[&str], input: &str| {
        let mut command = floor.desk.our("floorctl");
        command.arg("--config").arg(&floor.config).args(words);
        floor.desk.run(&mut command, input)
    };

    let set = floorctl(&["secret", "set", "comm100"], &format!("{SECRET}\n"));
    assert!(set.status.success(), "{}", all_text(&set));
    assert!(!all_text(&set).contains(SECRET), "a secret is never printed");
    assert_eq!(looked_up(&floor.desk, "comm100").as_deref(), Some(SECRET));

    let deleted = floorctl(&["secret", "delete", "comm100"], "");
    assert!(deleted.status.success(), "{}", all_text(&deleted));
    assert_eq!(looked_up(&floor.desk, "comm100"), None);
    let again = floorctl(&["secret", "delete", "comm100"], "");
    assert!(again.status.success(), "what is gone may be deleted: {}", all_text(&again));
}

#[test]
fn a_source_lives_on_the_secret_in_the_keychain() {
    let Some(programs) = programs("a_source_lives_on_the_secret_in_the_keychain") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let _keychain = floor.unlock_keychain();
    // Without `secret_env` the keychain is asked.
    let config = std::fs::read_to_string(&floor.config).unwrap();
    let without: String =
        config.lines().filter(|l| !l.starts_with("secret_env")).map(|l| format!("{l}\n")).collect();
    std::fs::write(&floor.config, without).unwrap();
    floor.control().require_secret(Vendor::Comm100, Some(SECRET)).unwrap();
    let floorctl = |words: &[&str], input: &str| {
        let mut command = floor.desk.our("floorctl");
        command.arg("--config").arg(&floor.config).arg("--data").arg(floor.desk.path("data")).args(words);
        floor.desk.run(&mut command, input)
    };

    let before = floorctl(&["check"], "");
    assert_eq!(before.status.code(), Some(3), "{}", all_text(&before));
    assert!(all_text(&before).contains("secret"), "it says what is missing: {}", all_text(&before));

    assert!(floorctl(&["secret", "set", "comm100"], &format!("{SECRET}\n")).status.success());
    let after = floorctl(&["check"], "");
    assert_eq!(after.status.code(), Some(0), "{}", all_text(&after));
    assert!(!all_text(&after).contains(SECRET));
}

#[test]
fn a_desktop_without_a_keychain_is_told_of() {
    let Some(programs) = programs("a_desktop_without_a_keychain_is_told_of") else { return };
    let floor = Floor::open(programs, Services::None, &[Vendor::Comm100], true);
    let mut set = floor.desk.our("floorctl");
    set.arg("--config").arg(&floor.config).args(["secret", "set", "comm100"]);
    let set = floor.desk.run(&mut set, &format!("{SECRET}\n"));
    assert!(!set.status.success());
    let said = all_text(&set);
    assert!(said.contains("keychain") && said.contains("secret_env"), "what is wrong and what to do: {said}");
    assert!(!said.contains(SECRET) && !said.contains("panicked"), "{said}");
}

#[test]
fn a_locked_keychain_is_told_of() {
    let Some(programs) = programs("a_locked_keychain_is_told_of") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    // Nobody unlocks it: the bus starts it by itself, and nobody is there to answer its question.
    let mut set = floor.desk.our("floorctl");
    set.arg("--config").arg(&floor.config).args(["secret", "set", "comm100"]);
    let set = floor.desk.run(&mut set, &format!("{SECRET}\n"));
    assert!(!set.status.success());
    let said = all_text(&set);
    assert!(said.contains("keychain") && said.contains("unlock"), "what is wrong and what to do: {said}");
    assert!(!said.contains(SECRET) && !said.contains("panicked"), "{said}");
}
