use std::ops::Range;

use super::{
    Fault,
    lexer::{Op, Spanned, Token, tokens},
};

/// A condition as written, before names and units are checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Syntax {
    And(Vec<Syntax>),
    Or(Vec<Syntax>),
    Compare { metric: Spanned, op: Op, op_span: Range<usize>, value: Spanned },
}

/// Deeper nesting is a slip, and a bound keeps the walk off the stack's end.
const MAX_DEPTH: u32 = 32;
const MAX_COMPARISONS: u32 = 64;

pub(crate) fn parse(text: &str) -> Result<Syntax, Fault> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(Fault::whole(text, "the condition is empty; write for example queue.longest_wait > 60s"));
    }
    let mut parser = Parser { tokens, at: 0, end: text.len(), comparisons: 0 };
    let syntax = parser.or(0)?;
    match parser.peek() {
        None => Ok(syntax),
        Some((Token::Close, span)) => Err(Fault::new(span.clone(), "this parenthesis was never opened")),
        Some((_, span)) => Err(Fault::new(span.clone(), "`and` or `or` is missing here")),
    }
}

/// The only token of a text that is a single value.
pub(crate) fn single_value(text: &str) -> Option<Spanned> {
    let mut tokens = tokens(text).ok()?;
    match tokens.pop()? {
        found @ (Token::Number(_) | Token::Percent(_) | Token::Duration(_), _) if tokens.is_empty() => {
            Some(found)
        }
        _ => None,
    }
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    end: usize,
    comparisons: u32,
}

impl Parser {
    fn peek(&self) -> Option<&Spanned> {
        self.tokens.get(self.at)
    }
    fn take(&mut self, what: &str) -> Result<Spanned, Fault> {
        let found = self.tokens.get(self.at).cloned();
        self.at += 1;
        found.ok_or_else(|| Fault::new(self.end..self.end, format!("{what} is missing at the end")))
    }

    fn or(&mut self, depth: u32) -> Result<Syntax, Fault> {
        let mut parts = vec![self.and(depth)?];
        while matches!(self.peek(), Some((Token::Or, _))) {
            self.at += 1;
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Syntax::Or(parts) })
    }

    fn and(&mut self, depth: u32) -> Result<Syntax, Fault> {
        let mut parts = vec![self.atom(depth)?];
        while matches!(self.peek(), Some((Token::And, _))) {
            self.at += 1;
            parts.push(self.atom(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Syntax::And(parts) })
    }

    fn atom(&mut self, depth: u32) -> Result<Syntax, Fault> {
        let first = self.take("a comparison")?;
        match &first.0 {
            Token::Open => {
                if depth >= MAX_DEPTH {
                    return Err(Fault::new(
                        first.1,
                        format!("more than {MAX_DEPTH} parentheses are open here"),
                    ));
                }
                let inner = self.or(depth + 1)?;
                match self.peek() {
                    Some((Token::Close, _)) => {
                        self.at += 1;
                        Ok(inner)
                    }
                    _ => Err(Fault::new(first.1, "this parenthesis is never closed")),
                }
            }
            Token::Metric { .. } => self.comparison(first),
            Token::Word(word) => Err(Fault::new(
                first.1,
                format!("“{word}” is no metric; write SUBJECT.METRIC, for example queue.longest_wait"),
            )),
            Token::Number(_) | Token::Percent(_) | Token::Duration(_) | Token::Quoted(_) => {
                Err(Fault::new(first.1, "the metric comes first: SUBJECT.METRIC OP VALUE"))
            }
            _ => Err(Fault::new(first.1, "a comparison is missing before this")),
        }
    }

    fn comparison(&mut self, metric: Spanned) -> Result<Syntax, Fault> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(Fault::new(
                metric.1,
                format!("more than {MAX_COMPARISONS} comparisons in one condition"),
            ));
        }
        let missing = "a comparison (> >= < <= == !=)";
        let (op, op_span) = match self.take(missing)? {
            (Token::Op(op), span) => (op, span),
            (_, span) => return Err(Fault::new(span, format!("{missing} is missing before this"))),
        };
        let value = self.take("a value")?;
        match value.0 {
            Token::Number(_) | Token::Percent(_) | Token::Duration(_) | Token::Quoted(_) | Token::Word(_) => {
                Ok(Syntax::Compare { metric, op, op_span, value })
            }
            Token::Metric { .. } => {
                Err(Fault::new(value.1, "a metric is compared with a value, not with another metric"))
            }
            _ => Err(Fault::new(value.1, "a value is missing before this")),
        }
    }
}
