use std::path::Path;

use simulator::Options;

use crate::support::{Desk, SECRET, run};

fn everything_below(folder: &Path, seen: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            everything_below(&path, seen);
        } else {
            seen.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_output_no_log_and_no_file() {
    let desk = Desk::open(Options::default()).await;
    let output =
        run(desk.floorctl(&["watch", "--json", "--record", "--for", "4s", "--log-level", "trace"])).await;
    let mut seen = vec![("stdout".to_owned(), output.stdout), ("stderr".to_owned(), output.stderr)];
    everything_below(desk.folder.path(), &mut seen);
    assert!(seen.iter().any(|(name, _)| name.ends_with("floor.db")), "something was recorded");
    for (name, bytes) in &seen {
        let found = bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
        assert!(!found, "the secret stands in {name}");
        // A token of the vendor opens the same door.
        let jwt = bytes.windows(4).any(|w| w == b"eyJh");
        assert!(!jwt, "a token stands in {name}");
    }
}
