//! What waits for the desk's thread, counted in lines: ten thousand alerts at once fit, a disk that hangs
//! fills no memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// Lines of the alert log that may wait.
const MOST: usize = 65_536;

struct Inside<T> {
    jobs: VecDeque<(usize, T)>,
    lines: usize,
    closed: bool,
}

struct Pile<T> {
    inside: Mutex<Inside<T>>,
    bell: Condvar,
}

impl<T> Pile<T> {
    fn open(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that work is put in at.
pub(super) struct In<T>(Arc<Pile<T>>);

/// The end that the thread takes it from.
pub(super) struct Out<T>(Arc<Pile<T>>);

/// Both ends.
pub(super) fn pile<T>() -> (In<T>, Out<T>) {
    let inside = Inside { jobs: VecDeque::new(), lines: 0, closed: false };
    let pile = Arc::new(Pile { inside: Mutex::new(inside), bell: Condvar::new() });
    (In(pile.clone()), Out(pile))
}

impl<T> In<T> {
    /// Puts a piece of so many lines in; gives it back when there is no room or nobody to take it.
    pub fn put(&self, lines: usize, job: T) -> Result<(), T> {
        let mut inside = self.0.open();
        // One that is larger than all the room there is goes into an empty pile.
        if inside.closed || (inside.lines > 0 && inside.lines + lines > MOST) {
            return Err(job);
        }
        inside.lines += lines;
        inside.jobs.push_back((lines, job));
        drop(inside);
        self.0.bell.notify_one();
        Ok(())
    }
}

impl<T> Drop for In<T> {
    fn drop(&mut self) {
        self.0.open().closed = true;
        self.0.bell.notify_one();
    }
}

impl<T> Out<T> {
    /// Waits; the oldest `most` pieces, or `None` when nothing waits and nothing can come.
    pub fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut inside = self.0.open();
        while inside.jobs.is_empty() {
            if inside.closed {
                return None;
            }
            inside = self.0.bell.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        let most = most.min(inside.jobs.len());
        let taken: Vec<(usize, T)> = inside.jobs.drain(..most).collect();
        inside.lines -= taken.iter().map(|(lines, _)| lines).sum::<usize>();
        Some(taken.into_iter().map(|(_, job)| job).collect())
    }
}

impl<T> Drop for Out<T> {
    fn drop(&mut self) {
        let mut inside = self.0.open();
        inside.closed = true;
        // Who waits for an answer hears that none comes.
        inside.jobs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_so_many_lines_and_no_more() {
        let (into, out) = pile();
        assert_eq!(into.put(MOST + 5, 'a'), Ok(()), "an empty one takes anything");
        assert_eq!(into.put(1, 'b'), Err('b'));
        assert_eq!(out.take(8), Some(vec!['a']));
        assert_eq!((into.put(MOST - 1, 'c'), into.put(1, 'd'), into.put(1, 'e')), (Ok(()), Ok(()), Err('e')));
        assert_eq!(out.take(1), Some(vec!['c']), "in order");
        drop(into);
        assert_eq!((out.take(8), out.take(8)), (Some(vec!['d']), None), "what was put in is still taken");
    }

    #[test]
    fn nothing_is_put_in_where_nobody_takes() {
        let (into, out) = pile();
        drop(out);
        assert_eq!(into.put(1, 'a'), Err('a'));
    }
}
