//! Rules tried on the past: one at a time, each for an editor that can end it and see how far it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as Lock, MutexGuard, PoisonError},
};

use tokio::sync::Mutex;

use crate::{api::TrialProgress, past::Watched};

/// A page gives its editor a short name.
const NAME: usize = 64;

/// The trials of one runtime.
#[derive(Default)]
pub(crate) struct Trials {
    /// Held while one runs: it costs a processor.
    pub one: Mutex<()>,
    under_way: Lock<HashMap<String, Arc<Watched>>>,
}

/// A trial that somebody waits for. When nobody does any more it is stopped.
pub(crate) struct Waiting<'a> {
    trials: &'a Trials,
    editor: Option<String>,
    pub watched: Arc<Watched>,
}

impl Trials {
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, Arc<Watched>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new trial; the editor's earlier one ends.
    pub fn begin(&self, editor: Option<String>) -> Waiting<'_> {
        let watched = Arc::new(Watched::default());
        let editor = editor.map(|name| name.chars().take(NAME).collect::<String>());
        if let Some(name) = &editor
            && let Some(earlier) = self.under_way().insert(name.clone(), watched.clone())
        {
            earlier.stop();
        }
        Waiting { trials: self, editor, watched }
    }

    /// Ends the editor's trial, if it has one.
    pub fn stop(&self, editor: &str) {
        if let Some(watched) = self.under_way().get(editor) {
            watched.stop();
        }
    }

    pub fn progress(&self, editor: &str) -> TrialProgress {
        match self.under_way().get(editor) {
            Some(watched) => TrialProgress { running: !watched.is_stopped(), done: watched.done() },
            None => TrialProgress::default(),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.watched.stop();
        if let Some(name) = &self.editor {
            let mut under_way = self.trials.under_way();
            if under_way.get(name).is_some_and(|watched| Arc::ptr_eq(watched, &self.watched)) {
                under_way.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_trial_of_an_editor_ends_its_first_and_no_other() {
        let trials = Trials::default();
        let first = trials.begin(Some("a".into()));
        let other = trials.begin(Some("b".into()));
        let second = trials.begin(Some("a".into()));
        assert_eq!([&first, &other, &second].map(|trial| trial.watched.is_stopped()), [true, false, false]);
        drop(first);
        assert!(trials.progress("a").running, "the first one's end is not the second one's");
        trials.stop("a");
        trials.stop("nobody");
        assert!(second.watched.is_stopped() && !trials.progress("a").running);
        let watched = other.watched.clone();
        drop(other);
        assert!(watched.is_stopped(), "nobody waits for it");
        assert_eq!(trials.progress("b"), TrialProgress::default());
    }
}
