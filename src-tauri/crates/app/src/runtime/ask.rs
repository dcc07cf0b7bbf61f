//! The answers to a face's questions.

use engine::DeskCommand;
use link::Secret;
use model::{Id, Timestamp};
use vendors::registry;

use super::{Command, Floorwalker, floor::Undone, trial};
use crate::{
    api::{
        Ask, Code, ConfiguredSource, Failure, Hello, Preferences, Reply, ReplyVendor, SecretPlace, SourceForm,
    },
    settings::{self, form},
};

/// How long an acknowledgement of a critical alert holds.
const ACK_HOLDS: std::time::Duration = std::time::Duration::from_secs(600);

/// Longest text a page may put into the log.
const LOG_LINE: usize = 2000;

impl Floorwalker {
    /// Answers one question.
    pub async fn ask(&self, ask: Ask) -> Result<Reply, Failure> {
        match ask {
            Ask::Hello => Ok(Reply::Hello(Box::new(self.hello().await))),
            Ask::Vendors => {
                Ok(Reply::Vendors(registry::REGISTRY.iter().map(|r| ReplyVendor(r.spec)).collect()))
            }
            Ask::Sources => self.configured_sources().await,
            Ask::TestSource { form, secret } => self.test(form, secret).await,
            Ask::SaveSource { form, secret, replaces } => self.save(form, secret, replaces).await,
            Ask::RemoveSource { id } => self.remove(&id).await,
            Ask::SetSecret { id, secret } => {
                self.store_secret(&id, secret).await?;
                self.reload(vec![id]).await
            }
            Ask::Diagnostics { id } => Ok(Reply::Diagnostics(Box::new(self.diagnostics(&id).await?))),
            Ask::Retry { id } => {
                self.commands.send(Command::Retry { id }).await.map_err(|_| gone())?;
                Ok(Reply::Done)
            }
            Ask::Acknowledge { alert } => {
                let until = Some(self.now().plus(ACK_HOLDS));
                self.desk(DeskCommand::Acknowledge { alert, until }).await
            }
            Ask::Unacknowledge { alert } => self.desk(DeskCommand::Unacknowledge { alert }).await,
            Ask::Snooze { minutes: Some(0), shift_end: false, .. } => Err(Failure {
                field: Some("minutes".into()),
                ..Failure::new(Code::InvalidField, "A snooze lasts at least one minute.")
            }),
            Ask::Snooze { alert, minutes, shift_end } => {
                let until = match shift_end {
                    true => Some(self.shift_end().await?),
                    false => {
                        minutes.map(|m| self.now().plus(std::time::Duration::from_secs(u64::from(m) * 60)))
                    }
                };
                self.desk(DeskCommand::Snooze { alert, until }).await
            }
            Ask::Unsnooze { alert } => self.desk(DeskCommand::Unsnooze { alert }).await,
            Ask::SetPreferences { preferences } => {
                fits(&preferences)?;
                let mut configured = self.inner.settings.lock().await;
                settings::set_preferences(&self.inner.start.config, &preferences).map_err(storage)?;
                configured.settings.preferences = preferences.clone();
                drop(configured);
                let preferences = Box::new(preferences);
                self.commands.send(Command::Taste { preferences }).await.map_err(|_| gone())?;
                Ok(Reply::Done)
            }
            Ask::Rules => self.rules().await,
            Ask::CheckRule { text, form, replaces } => self.check_rule(text, form, replaces).await,
            Ask::SaveRule { text, replaces } => self.save_rule(text, replaces).await,
            Ask::RemoveRule { name } => self.remove_rule(&name).await,
            Ask::SetRuleEnabled { name, enabled } => self.set_rule_enabled(&name, enabled).await,
            Ask::TryRule { text, replaces, from, to, editor } => {
                self.try_rule(text, replaces, (from, to), editor).await
            }
            Ask::StopTrial { editor } => {
                self.inner.trials.stop(&editor);
                Ok(Reply::Done)
            }
            Ask::TrialProgress { editor } => Ok(Reply::TrialProgress(self.inner.trials.progress(&editor))),
            Ask::RuleNames => self.rule_names(),
            Ask::AlertHistory { query } => self.alert_history(query).await,
            Ask::ExportHistory { query, format } => self.export_history(query, format).await,
            Ask::AddNote { alert, text } => self.add_note(alert, text).await,
            Ask::Metrics => Ok(Reply::Metrics(crate::rules::metrics())),
            Ask::Budget => self.budget().await,
            Ask::TestSound { severity, volume } => self.test_sound(severity, volume).await,
            Ask::OpenConsole { queue } => self.open_console(&queue).await,
            Ask::Log { level, message } => {
                let message: String = message.chars().take(LOG_LINE).collect();
                if level == "error" {
                    tracing::error!(message, "The page reports a fault.");
                } else {
                    tracing::info!(message, "The page says.");
                }
                Ok(Reply::Done)
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.ports.clock.now()
    }

    async fn hello(&self) -> Hello {
        let configured = self.inner.settings.lock().await;
        Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            demo: self.inner.start.demo,
            config_path: self.inner.start.config.display().to_string(),
            config_error: configured.error.as_ref().map(ToString::to_string),
            notices: self.inner.notices.lock().map(|n| n.clone()).unwrap_or_default(),
            preferences: configured.settings.preferences.clone(),
            zone: settings::taste::zone_name(&configured.settings.preferences.zone),
        }
    }

    async fn configured_sources(&self) -> Result<Reply, Failure> {
        let configured = self.inner.settings.lock().await;
        let mut sources = Vec::new();
        for settings in &configured.settings.sources {
            let secret = match &settings.secret_env {
                Some(variable) if settings::environment(variable).is_some() => SecretPlace::Environment,
                Some(_) => SecretPlace::Missing,
                None => match self.inner.ports.vault.get(&settings.id).await {
                    Ok(Some(_)) => SecretPlace::Keychain,
                    Ok(None) => SecretPlace::Missing,
                    Err(_) => SecretPlace::Unreadable,
                },
            };
            sources.push(ConfiguredSource { form: form::of(settings, &self.inner.start.config), secret });
        }
        Ok(Reply::Sources(sources))
    }

    async fn test(&self, form: SourceForm, secret: Option<String>) -> Result<Reply, Failure> {
        let settings = form::check(&form, &self.inner.start.config)?;
        let secret = match secret.filter(|s| !s.is_empty()) {
            Some(text) => Secret::new(text),
            None => super::sources::find_secret(&settings, &*self.inner.ports.vault).await.map_err(
                |sentence| Failure { field: Some("secret".into()), ..Failure::new(Code::Keychain, sentence) },
            )?,
        };
        let report = trial::run(&settings, secret, self.inner.ports.clock.clone()).await;
        Ok(Reply::TestSource(report))
    }

    async fn save(
        &self,
        form: SourceForm,
        secret: Option<String>,
        replaces: Option<Id>,
    ) -> Result<Reply, Failure> {
        form::check(&form, &self.inner.start.config)?;
        form::is_free(&form, replaces.as_deref(), &self.inner.start.config)?;
        let id = Id::from(form.id.as_str());
        // The secret first: a source without one would start and complain.
        match secret.filter(|s| !s.is_empty()) {
            Some(secret) => self.store_secret(&id, secret).await?,
            None => self.carry_secret(&id, replaces.as_ref()).await?,
        }
        {
            let _one_at_a_time = self.inner.settings.lock().await;
            settings::write_source(&self.inner.start.config, &form, replaces.as_deref()).map_err(storage)?;
        }
        self.reload(vec![id]).await
    }

    /// A source that gets a new id takes its secret along.
    async fn carry_secret(&self, id: &Id, replaces: Option<&Id>) -> Result<(), Failure> {
        let Some(old) = replaces.filter(|old| *old != id) else { return Ok(()) };
        let vault = &self.inner.ports.vault;
        let secret = vault.get(old).await.map_err(|e| Failure::new(Code::Keychain, e.to_string()))?;
        if let Some(secret) = secret {
            vault.set(id, secret).await.map_err(|e| Failure::new(Code::Keychain, e.to_string()))?;
            vault.delete(old).await.map_err(|e| Failure::new(Code::Keychain, e.to_string()))?;
        }
        Ok(())
    }

    async fn remove(&self, id: &Id) -> Result<Reply, Failure> {
        {
            let _one_at_a_time = self.inner.settings.lock().await;
            settings::remove_source(&self.inner.start.config, id).map_err(storage)?;
        }
        let reply = self.reload(Vec::new()).await;
        // The source is gone either way; a keychain that does not answer keeps a secret that nobody uses.
        if let Err(error) = self.inner.ports.vault.delete(id).await {
            tracing::warn!(source = %id, %error, "The secret of a removed source stays in the keychain.");
        }
        reply
    }

    async fn store_secret(&self, id: &Id, secret: String) -> Result<(), Failure> {
        let kept = self.inner.ports.vault.set(id, Secret::new(secret)).await;
        kept.map_err(|error| Failure {
            field: Some("secret".into()),
            ..Failure::new(Code::Keychain, format!("The secret was not saved: {error}."))
        })
    }

    /// Reads the configuration anew and lets the loop follow it.
    pub async fn reload(&self, restart: Vec<Id>) -> Result<Reply, Failure> {
        let mut configured = self.inner.settings.lock().await;
        let stamp = super::follow::Stamp::of(&self.inner.start.config);
        let mut settings = settings::load(&self.inner.start.config)
            .map_err(|e| Failure::new(Code::Storage, e.to_string()))?;
        if let Some(only) = &self.inner.start.only {
            settings.sources.retain(|s| s.id == *only);
        }
        let command = Command::Configure { settings: Box::new(settings.clone()), restart };
        self.commands.send(command).await.map_err(|_| gone())?;
        for error in settings.rule_errors.iter().filter(|e| !configured.settings.rule_errors.contains(e)) {
            super::record::say(&self.inner.notices, error.clone());
        }
        configured.settings = settings;
        configured.error = None;
        configured.stamp = stamp;
        Ok(Reply::Done)
    }

    async fn desk(&self, command: DeskCommand) -> Result<Reply, Failure> {
        match self.command(|reply| Command::Desk { command, reply }).await {
            Ok(Ok(())) => Ok(Reply::Done),
            Ok(Err(Undone::Over)) => {
                Err(Failure::new(Code::NotFound, "This alert is over; nothing was changed."))
            }
            Ok(Err(Undone::Unsaved(why))) => Err(Failure::new(
                Code::Storage,
                format!("This was not saved, and nothing was changed: {why}."),
            )),
            Err(_) => Err(gone()),
        }
    }

    async fn open_console(&self, queue: &model::Key) -> Result<Reply, Failure> {
        let configured = self.inner.settings.lock().await;
        let template = configured
            .settings
            .sources
            .iter()
            .find(|s| s.id == queue.source)
            .and_then(|s| s.console_url.clone());
        let Some(template) = template else {
            let sentence =
                "No console address is configured for this source; set `console_url` under Sources.";
            return Err(Failure::new(Code::NotFound, sentence));
        };
        let url = console_address(&template, &queue.id)?;
        self.inner.ports.opener.open(&url).map_err(|why| Failure::new(Code::NotHere, why))?;
        Ok(Reply::Done)
    }
}

/// What the file's reader would refuse is not written.
fn fits(preferences: &Preferences) -> Result<(), Failure> {
    let wrong = |field: &str, what: String| Failure {
        field: Some(field.to_owned()),
        ..Failure::new(Code::InvalidField, format!("{field} {what}."))
    };
    settings::taste::zone(preferences).map_err(|what| wrong("zone", what))?;
    settings::taste::mute(preferences).map_err(|what| wrong("mute", what))?;
    settings::taste::shift_ends(preferences).map_err(|what| wrong("shift_ends", what))?;
    if preferences.sound_volume > 100 {
        return Err(wrong("sound_volume", "goes from 0 to 100".to_owned()));
    }
    Ok(())
}

/// Fills the template; only a secure web address leaves the program.
fn console_address(template: &str, queue: &str) -> Result<String, Failure> {
    let escaped: String = url::form_urlencoded::byte_serialize(queue.as_bytes()).collect();
    let filled = template.replace("{queue}", &escaped).replace("{agent}", "").replace("{conversation}", "");
    match url::Url::parse(&filled) {
        Ok(url) if settings::is_address(&filled) => Ok(url.to_string()),
        _ => Err(Failure::new(
            Code::NotFound,
            "The configured console address is not a https:// address; mend `console_url`.",
        )),
    }
}

pub(super) fn storage(error: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Storage, error.to_string())
}

pub(super) fn gone() -> Failure {
    Failure::new(Code::Internal, "Floorwalker is shutting down.")
}
