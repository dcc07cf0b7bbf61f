//! Getting in: a token, a socket, and words for every refusal.

use link::{
    Phase,
    origin::place,
    single_flight::Token,
    ws::{Socket, Target, WsError},
};

use super::run::{End, Source};

pub(super) fn lost(error: &WsError) -> End {
    End::Lost(error.to_string(), None)
}

/// Gets a token and a socket. A refused token is replaced once where it can be.
pub(super) async fn open(source: &mut Source) -> Result<(Socket, Token), End> {
    let config = source.config.clone();
    let config = &config;
    let host = place(&config.url);
    let mut renewed = false;
    loop {
        let now = source.now();
        let Source { auth, http, session, .. } = &mut *source;
        let token = auth.token(config, http, now, |answer| session.skew.learn(answer)).await?;
        let mut url = config.url.clone();
        let jwt: String = url::form_urlencoded::byte_serialize(token.secret.expose().as_bytes()).collect();
        let rest = config.url.query().map(|q| format!("{q}&")).unwrap_or_default();
        url.set_query(Some(&format!("{rest}token=JWT%20{jwt}")));
        let refusal = match source.dialer.connect(&Target::new(url)).await {
            Ok(socket) => return Ok((socket, token)),
            Err(WsError::Refused(refusal)) => refusal,
            Err(WsError::Net(error)) if error.is_configuration() => {
                return Err(End::Misconfigured(error.sentence()));
            }
            Err(WsError::Net(error)) if matches!(error.phase, Phase::Timeout(_)) => {
                return Err(End::Lost(
                    format!(
                        "{host} did not answer the live connection; if that lasts, the token may be a guest's."
                    ),
                    None,
                ));
            }
            Err(error) => return Err(lost(&error)),
        };
        let wait = refusal.retry_after(source.now());
        return Err(match refusal.status {
            401 => {
                if source.auth.refused(config, &token).await && !renewed {
                    renewed = true;
                    continue;
                }
                End::Denied(match config.email {
                    Some(_) => {
                        format!("{host} refuses this user's token: check that the user is active there.")
                    }
                    None => format!("{host} refuses the token: sign in again and store the new JWT."),
                })
            }
            // Right after success a refusal is first taken for a limit.
            403 if std::mem::take(&mut source.was_live) => End::Throttled(
                format!("{host} refuses a new connection for now; it is tried again later."),
                wait,
            ),
            403 => End::Denied(format!(
                "{host} forbids the live connection to this user: ask its administrator."
            )),
            429 => End::Throttled(
                format!("{host} allows no more connections for now; it is tried again later."),
                wait,
            ),
            503 if wait.is_some() => {
                End::Throttled(format!("{host} is busy; it is tried again later."), wait)
            }
            300..400 => End::Lost(
                format!("{host} redirects the live connection: put the final address into `url`."),
                None,
            ),
            400 | 404 | 405 | 426 => {
                End::Lost(format!("{host} has no realtime API at this path: check the path of `url`."), None)
            }
            status => End::Lost(
                format!("{host} refused the live connection with status {status}; it is tried again."),
                wait,
            ),
        });
    }
}
