//! Globs over `source:id` and `source:name`, not case sensitive.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A list of patterns of which one has to match.
#[derive(Clone, Debug)]
pub(crate) struct Globs {
    set: GlobSet,
}

/// Longer lists are a slip.
const MAX_PATTERNS: usize = 1000;

impl Globs {
    /// Place in the list and sentence of the first pattern that is none.
    pub fn compile(patterns: &[String]) -> Result<Self, (usize, String)> {
        if patterns.len() > MAX_PATTERNS {
            return Err((MAX_PATTERNS, format!("at most {MAX_PATTERNS} patterns are read")));
        }
        let mut set = GlobSetBuilder::new();
        for (at, pattern) in patterns.iter().enumerate() {
            if pattern.is_empty() || pattern.len() > 512 {
                return Err((at, "a pattern has between 1 and 512 characters".into()));
            }
            let glob = GlobBuilder::new(pattern)
                .case_insensitive(true)
                .backslash_escape(true)
                .build()
                .map_err(|e| (at, format!("this pattern cannot be read: {}", e.kind())))?;
            set.add(glob);
        }
        let set = set.build().map_err(|_| (0, "these patterns are too large together".to_string()))?;
        Ok(Self { set })
    }

    /// Plain text: a group's name, a source's id.
    pub fn matches(&self, text: &str) -> bool {
        self.set.is_match(text)
    }

    /// `source:id`, `source:name`, and `source:kind:name` for ids of the form `kind:…`.
    pub fn matches_entity(&self, source: &str, id: &str, name: &str) -> bool {
        self.matches(&format!("{source}:{id}"))
            || self.matches(&format!("{source}:{name}"))
            || id.split_once(':').is_some_and(|(kind, _)| self.matches(&format!("{source}:{kind}:{name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_id_by_name_and_by_kind() {
        let globs = |p: &str| Globs::compile(&[p.to_string()]).unwrap();
        let id = "dept:4f1c";
        assert!(globs("shop:dept:*").matches_entity("shop", id, "Billing"));
        assert!(globs("shop:billing").matches_entity("shop", id, "Billing"));
        assert!(globs("shop:dept:*billing*").matches_entity("shop", id, "EU Billing"));
        assert!(globs("*").matches_entity("shop", id, "Billing"));
        assert!(!globs("shop:team:*").matches_entity("shop", id, "Billing"));
        assert!(!globs("help:*").matches_entity("shop", id, "Billing"));
        assert!(Globs::compile(&["ok".into(), "[".into()]).is_err_and(|(at, _)| at == 1));
        assert!(Globs::compile(&["".into()]).is_err());
        assert!(Globs::compile(&["x".repeat(1_000_000)]).is_err());
    }
}
