use crate::support::{floorctl, run};

async fn with_config(text: &str, args: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("floorwalker.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = floorctl(home.path());
    command.arg("--config").arg(&file).args(args);
    let output = run(command).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_wrong_configuration_names_file_line_key_and_fix_and_starts_nothing() {
    for command in ["check", "snapshot", "watch"] {
        let (code, out, err) =
            with_config("[[source]]\nid = \"a\"\nvendor = \"comm100\"\nsiteid = 1\n", &[command]).await;
        assert_eq!(code, 2, "{err}");
        assert_eq!(out, "");
        assert!(err.contains("floorwalker.toml, line 4, key `siteid`") && err.contains("`site_id`"), "{err}");
    }
}

#[tokio::test]
async fn a_file_that_was_named_must_be_there() {
    let home = tempfile::tempdir().unwrap();
    let mut command = floorctl(home.path());
    command.args(["check", "--config", "nowhere.toml"]);
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.toml"));
}

#[tokio::test]
async fn options_stand_before_or_after_the_command_and_nonsense_is_usage() {
    let (code, _, err) = with_config("", &["--log-level", "error", "snapshot", "--json"]).await;
    assert_eq!(code, 0, "{err}");
    let (code, _, _) = with_config("", &["snapshot", "--json", "--log-level", "error"]).await;
    assert_eq!(code, 0);
    let (code, _, _) = with_config("", &["dance"]).await;
    assert_eq!(code, 2);
    let (code, _, _) = with_config("", &["snapshot", "--timeout", "soon"]).await;
    assert_eq!(code, 2);
}

#[tokio::test]
async fn a_source_without_a_secret_says_so_and_is_misconfigured() {
    let text = "[[source]]\nid = \"a\"\nname = \"Help desk\"\nvendor = \"comm100\"\nurl = \"http://127.0.0.1:9/v4\"\nsite_id = 10000\nemail = \"sup@example.com\"\nsecret_env = \"NOT_SET_ANYWHERE\"\n";
    let (code, out, _) = with_config(text, &["check"]).await;
    assert_eq!(code, 3);
    assert!(out.contains("misconfigured") && out.contains("NOT_SET_ANYWHERE"), "{out}");
}

/// An address that results from more than one key is said before anybody's password goes there.
#[tokio::test]
async fn check_says_where_the_reads_of_a_pushed_source_go() {
    let text = |more: &str| {
        format!(
            "[[source]]\nid = \"a\"\nvendor = \"pingstreams\"\nurl = \"ws://127.0.0.1:9/\"\nproject = \"p1\"\n{more}secret_env = \"NOT_SET_ANYWHERE\"\n"
        )
    };
    let (code, out, _) = with_config(&text(""), &["check"]).await;
    assert_eq!(code, 3);
    assert!(out.contains("REST https://api.pingstreams.com/v3") && out.contains("`api_url`"), "{out}");
    let (_, out, _) = with_config(&text("api_url = \"http://127.0.0.1:9/v3\"\n"), &["check"]).await;
    assert!(out.contains("REST http://127.0.0.1:9/v3") && !out.contains("`api_url`"), "{out}");
}

/// Whoever stops it at this word has not been signed in anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_is_opened_before_it_connects() {
    use std::{
        io::{BufRead, BufReader},
        process::Stdio,
    };
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = home.path().join("floorwalker.toml");
    let text = format!(
        "[[source]]\nid = \"lp\"\nname = \"LP\"\nvendor = \"liveperson\"\nurl = \"http://{}\"\naccount = \"12345678\"\nusername = \"floor\"\nsecret_env = \"FAKE_LP\"\n",
        listener.local_addr().unwrap()
    );
    std::fs::write(&file, text).unwrap();
    let mut command = floorctl(home.path());
    command.arg("--config").arg(&file).args(["check", "--timeout", "30s"]).env("FAKE_LP", "fake-secret");
    let said = tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody takes the connection, so no answer can have come before this line.
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        line
    })
    .await
    .unwrap();
    assert!(said.starts_with("floorctl: lp: opens an agent session: the user appears"), "{said}");
    drop(listener);
}
