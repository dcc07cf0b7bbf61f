//! `floorctl secret`: into the keychain and out of it, never onto the screen or the command line.

use std::io::{IsTerminal, Read};

use app::{keychain::Keychain, ports::Vault};
use link::Secret as SecretText;

use crate::{Exit, args::Secret};

/// No password is longer; a token may be some kilobytes.
const LONGEST: u64 = 64 * 1024;

pub async fn run(command: Secret) -> Exit {
    let done = match &command {
        Secret::Set { source } => match read(source) {
            Ok(secret) => Keychain.set(source, secret).await,
            Err(sentence) => {
                eprintln!("floorctl: {sentence}");
                return Exit::Usage;
            }
        },
        Secret::Delete { source } => Keychain.delete(source).await,
    };
    match (done, command) {
        (Ok(()), Secret::Set { source }) => {
            eprintln!("floorctl: the secret of {source} is in the keychain");
            Exit::Good
        }
        (Ok(()), Secret::Delete { source }) => {
            eprintln!("floorctl: the keychain holds no secret of {source} any more");
            Exit::Good
        }
        (Err(error), Secret::Set { .. }) => {
            eprintln!("floorctl: the secret was not saved: {error}");
            Exit::Internal
        }
        (Err(error), Secret::Delete { .. }) => {
            eprintln!("floorctl: the secret was not deleted: {error}");
            Exit::Internal
        }
    }
}

fn read(source: &str) -> Result<SecretText, String> {
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Secret of {source}: "))
            .map_err(|e| format!("the secret could not be read ({e})"))?
    } else {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text);
        read.map_err(|e| format!("the secret could not be read from standard input ({e})"))?;
        if text.len() as u64 > LONGEST {
            return Err("the secret is longer than 64 kB; is it the right file?".to_owned());
        }
        text
    };
    // The line's end belongs to `echo`, not to the secret.
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if secret.is_empty() {
        Err("the secret is empty; nothing was saved".to_owned())
    } else {
        Ok(SecretText::new(secret))
    }
}
