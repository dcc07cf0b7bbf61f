//! The operating system's keychain as a [`Vault`]: service `floorwalker`, account = source id.

use std::time::Duration;

use async_trait::async_trait;
use keyring::{Entry, Error};
use link::Secret;

use crate::ports::{Vault, VaultError};

/// The name under which all our secrets stand.
const SERVICE: &str = "floorwalker";

/// A keychain that asks a person may take for ever; the floor must not wait for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The keychain of macOS, Windows, or the Secret Service of a Linux desktop.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keychain;

/// Calls into the keychain block, and may show a prompt: off the runtime's threads, with a deadline.
async fn off_thread<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(call)).await {
        Ok(Ok(result)) => result.map_err(plain),
        Ok(Err(_)) => Err(VaultError::Failed("it broke off".to_owned())),
        Err(_) => Err(VaultError::TimedOut(PATIENCE)),
    }
}

fn plain(error: Error) -> VaultError {
    match error {
        Error::NoDefaultStore => VaultError::NoKeychain,
        Error::NoStorageAccess(_) => VaultError::Locked,
        // The other variants may carry the secret's bytes: only their kind is told.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            VaultError::Failed("the stored secret is not text; set it again".to_owned())
        }
        Error::TooLong(_, limit) => {
            VaultError::Failed(format!("the secret is longer than its limit of {limit}"))
        }
        Error::Ambiguous(_) => VaultError::Failed("it holds several secrets for this source".to_owned()),
        Error::PlatformFailure(cause) => VaultError::Failed(cause.to_string()),
        _ => VaultError::Failed("it refused".to_owned()),
    }
}

#[async_trait]
impl Vault for Keychain {
    async fn get(&self, account: &str) -> Result<Option<Secret>, VaultError> {
        let account = account.to_owned();
        off_thread(move || match Entry::new(SERVICE, &account)?.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn set(&self, account: &str, secret: Secret) -> Result<(), VaultError> {
        let account = account.to_owned();
        off_thread(move || Entry::new(SERVICE, &account)?.set_password(secret.expose())).await
    }

    async fn delete(&self, account: &str) -> Result<(), VaultError> {
        let account = account.to_owned();
        off_thread(move || match Entry::new(SERVICE, &account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }
}
