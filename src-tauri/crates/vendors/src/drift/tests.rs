use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::loose::{Count, Flag, List, Reference, Seconds, Share, Stamp, Text, Whole, loose_struct};

loose_struct! {
    struct Row {
        id: Reference = "id",
        open: Count = "ongoingchats" | "open",
        wait: Seconds = "waittime",
        on: Flag = "online",
        free: Whole = "free",
        state: Text = "state" in &["waiting", "ended"],
        inner: Inner = "inner",
        names: List<Inner> = "names",
        rate: Share = "rate",
        since: Stamp = "since",
    }
}
loose_struct! {
    struct Inner {
        name: Text = "name",
    }
}

#[derive(Default)]
struct Hand(AtomicI64);
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

fn seen(notes: &Notes) -> Vec<String> {
    let line = |n: Note| {
        let detail = n.detail.map(|d| format!(" ({d})")).unwrap_or_default();
        format!("{}/{} {:?} {}{detail}", n.part, n.field, n.drift, n.count)
    };
    notes.list().into_iter().map(line).collect()
}

fn rows(row: &str) -> String {
    format!("[{row},{row},{row}]")
}

fn read(notes: &Notes, body: &str) {
    notes.read::<List<Row>>("rows", body.as_bytes()).unwrap();
}

#[test]
fn p6_what_is_as_expected_leaves_no_note() {
    let notes = Notes::default();
    for row in [
        r#"{"ID":"a","onGoingChats":3,"WaitTime":"00:01:00","online":true,"free":-1,"state":"Waiting","inner":{"name":"n"},"names":[{"name":"n"}],"more":[1]}"#,
        r#"{"id":"a","open":0,"waittime":"00:02:00","online":false,"free":2,"state":"ended","inner":null,"names":[]}"#,
        r#"{"id":"","open":null,"waittime":"","online":null,"free":null,"state":"","inner":"","names":null}"#,
    ] {
        read(&notes, &rows(row));
    }
    assert!(notes.list().is_empty(), "{notes:?}");
}

#[test]
fn p6_a_wrong_type_is_counted_with_its_place() {
    let notes = Notes::default();
    read(
        &notes,
        r#"[{"id":{},"open":"many","online":7,"names":[{"name":[1]}]},{"id":true,"open":[],"names":{}}]"#,
    );
    assert_eq!(
        seen(&notes),
        [
            "rows/id Type 2 (different types in place of id)",
            "rows/names Type 1 (an object in place of list)",
            "rows/names.name Type 1 (a list in place of text)",
            "rows/ongoingchats Type 2 (different types in place of number)",
            "rows/online Type 1 (a number in place of yes or no)",
        ]
    );
}

#[test]
fn a_type_that_is_read_all_the_same_is_noted_when_it_changes() {
    let notes = Notes::default();
    read(&notes, r#"[{"id":"a","open":3}]"#);
    read(&notes, r#"[{"id":"a","open":"3"}]"#);
    read(&notes, r#"[{"id":"a","open":"3"}]"#);
    assert_eq!(seen(&notes), ["rows/ongoingchats Type 1 (text, before a number)"]);
}

#[test]
fn a_field_that_every_row_had_is_missed_while_it_is_away() {
    let notes = Notes::default();
    read(&notes, &rows(r#"{"id":"a","open":3,"inner":{}}"#));
    read(&notes, "[]");
    assert!(notes.list().is_empty(), "no rows say nothing about fields");
    read(&notes, r#"[{"id":"a"},{"id":"b"}]"#);
    read(&notes, r#"[{"id":"a"}]"#);
    assert_eq!(seen(&notes), ["rows/ongoingchats Vanished 3"]);
    read(&notes, r#"[{"id":"a","OPEN":null}]"#);
    assert_eq!(seen(&notes), ["rows/ongoingchats Vanished 3"], "another spelling is the same field");
    // A message with a few rows is soon without what a row need not have.
    let notes = Notes::default();
    for message in [rows(r#"{"id":"a","open":3}"#), r#"[{"id":"a"}]"#.to_owned()] {
        notes.hear("feed", message.as_bytes(), &List::<Row>::SHAPE);
    }
    assert!(notes.list().is_empty());
}

#[test]
fn a_list_that_every_row_had_is_missed_too() {
    let notes = Notes::default();
    read(&notes, &rows(r#"{"id":"a","names":[]}"#));
    read(&notes, r#"[{"id":"a"}]"#);
    assert_eq!(seen(&notes), ["rows/names Vanished 1"]);
}

#[test]
fn a_field_that_every_message_had_is_missed_after_ten_without_it() {
    let notes = Notes::default();
    let hear = |row: &str| notes.hear("feed", format!("[{row}]").as_bytes(), &List::<Row>::SHAPE);
    for _ in 0..10 {
        hear(r#"{"id":"a","open":3,"online":true}"#);
    }
    // Away for a while and back again: not every row has it.
    (0..9).for_each(|_| hear(r#"{"id":"a","open":3}"#));
    hear(r#"{"id":"a","open":3,"online":true}"#);
    (0..9).for_each(|_| hear(r#"{"id":"a"}"#));
    assert!(notes.list().is_empty(), "{notes:?}");
    (0..3).for_each(|_| hear(r#"{"id":"a"}"#));
    assert_eq!(seen(&notes), ["feed/ongoingchats Vanished 3"]);
}

#[test]
fn what_comes_and_goes_or_tells_only_changes_is_never_missed() {
    const ROW: Shape =
        Shape::Fields(&[Field::of(&["id"], shape::TEXT), Field::of(&["closed"], shape::TEXT).sometimes()]);
    const PARTS: Shape = Shape::Fields(&[Field::of(&["update"], ROW).in_parts()]);
    let notes = Notes::default();
    for _ in 0..30 {
        notes.hear("whole", br#"{"id":"a","closed":"b"}"#, &ROW);
        notes.hear("parts", br#"{"update":{"id":"a","closed":"b"}}"#, &PARTS);
    }
    for _ in 0..30 {
        notes.hear("whole", br#"{"id":"a"}"#, &ROW);
        notes.hear("parts", br#"{"update":{"more":"b"}}"#, &PARTS);
    }
    assert!(notes.list().is_empty(), "{notes:?}");
}

#[test]
fn a_field_that_only_some_rows_had_is_not_missed() {
    let notes = Notes::default();
    read(&notes, r#"[{"id":"a","open":3},{"id":"b"},{"id":"c"},{"id":"d","open":1}]"#);
    read(&notes, r#"[{"id":"a"}]"#);
    assert!(notes.list().is_empty());
}

#[test]
fn a_unit_that_changes_is_noted_and_a_busy_floor_is_not() {
    let notes = Notes::default();
    for wait in 1..=20 {
        read(&notes, &format!(r#"[{{"id":"a","waittime":{wait}}}]"#));
    }
    read(&notes, r#"[{"id":"a","waittime":1200}]"#);
    assert!(notes.list().is_empty());
    read(&notes, r#"[{"id":"a","waittime":600000},{"id":"b","waittime":0}]"#);
    assert_eq!(seen(&notes), ["rows/waittime Unit 1 (much larger than before)"]);
}

#[test]
fn spans_that_shrink_are_noted_when_they_stay_small() {
    let notes = Notes::default();
    (0..20).for_each(|_| read(&notes, r#"[{"id":"a","waittime":60000}]"#));
    // A queue that has run empty fills with people who have just come.
    (1..=11).for_each(|wait| read(&notes, &format!(r#"[{{"id":"a","waittime":{wait}}}]"#)));
    read(&notes, r#"[{"id":"a","waittime":900}]"#);
    assert!(notes.list().is_empty(), "{notes:?}");
    let notes = Notes::default();
    (0..20).for_each(|_| read(&notes, r#"[{"id":"a","waittime":60000}]"#));
    (0..12).for_each(|_| read(&notes, r#"[{"id":"a","waittime":60}]"#));
    assert_eq!(seen(&notes), ["rows/waittime Unit 1 (much smaller than before)"]);
}

#[test]
fn percentages_in_place_of_fractions_are_noted_and_the_other_way_round() {
    let notes = Notes::default();
    (1..=20).for_each(|n| read(&notes, &format!(r#"[{{"id":"a","rate":0.{n}}}]"#)));
    read(&notes, r#"[{"id":"a","rate":1}]"#);
    assert!(notes.list().is_empty(), "{notes:?}");
    read(&notes, r#"[{"id":"a","rate":93.5}]"#);
    assert_eq!(seen(&notes), ["rows/rate Unit 1 (percentages, before fractions)"]);
    let notes = Notes::default();
    (1..=20).for_each(|n| read(&notes, &format!(r#"[{{"id":"a","rate":{}}}]"#, 70 + n)));
    (0..12).for_each(|_| read(&notes, r#"[{"id":"a","rate":0.8}]"#));
    assert_eq!(seen(&notes), ["rows/rate Unit 1 (fractions, before percentages)"]);
}

#[test]
fn an_instant_in_another_form_or_unit_is_noted_and_never_guessed() {
    let notes = Notes::default();
    let rows: List<Row> = notes
        .read("rows", br#"[{"since":"2026-01-31T09:30:00Z"},{"since":1769851800},{"since":"now"}]"#)
        .unwrap();
    let since: Vec<_> = rows.0.unwrap().into_iter().map(|row| row.since.0).collect();
    assert_eq!(since, [Some("2026-01-31T09:30:00Z".to_owned()), None, None]);
    assert_eq!(seen(&notes), ["rows/since Type 2 (different types in place of instant)"]);

    const fn epoch(size: shape::Size) -> Shape {
        Shape::Value(Expected { what: "number", reads: |_| true, size })
    }
    const ROW: Shape = Shape::Fields(&[
        Field::of(&["s"], epoch(shape::Size::Seconds)),
        Field::of(&["ms"], epoch(shape::Size::Millis)),
    ]);
    let notes = Notes::default();
    notes.hear("feed", br#"{"s":1769851800.5,"ms":1769851800000}"#, &ROW);
    notes.hear("feed", br#"{"s":0,"ms":0}"#, &ROW);
    assert!(notes.list().is_empty(), "{notes:?}");
    notes.hear("feed", br#"{"s":1769851800000,"ms":1769851800}"#, &ROW);
    assert_eq!(
        seen(&notes),
        ["feed/ms Unit 1 (no milliseconds since 1970)", "feed/s Unit 1 (no seconds since 1970)"]
    );
}

#[test]
fn words_that_no_list_has_are_noted_and_text_is_not_shown() {
    let notes = Notes::default();
    read(&notes, r#"[{"state":"Parked"},{"state":"waiting"},{"state":"Anna Smith called at noon"}]"#);
    notes.unknown_word("rows", "status", "Lunch");
    notes.unknown_word("rows", "status", "lunch-2");
    notes.unknown_word("rows", "status", "Lunch");
    notes.unknown_word("rows", "status", "anna@example.com");
    let list = notes.list();
    assert_eq!(list[1].detail.as_deref(), Some("Lunch, lunch-2"));
    assert_eq!((list[0].count, list[1].count), (2, 4));
    assert!(!format!("{notes:?}").contains("nna"), "{notes:?}");
}

#[test]
fn a_body_that_cannot_be_read_is_noted() {
    let notes = Notes::default();
    assert_eq!(notes.read::<List<Row>>("rows", b"<html>"), Err(Unreadable));
    assert_eq!(seen(&notes), ["rows/ Unreadable 1"]);
}

#[test]
fn the_book_is_bounded_and_dated() {
    let clock = Arc::new(Hand::default());
    let notes = Notes::new(clock.clone());
    for n in 0..200 {
        notes.unknown_word("rows", &format!("field{n}"), "x");
    }
    for n in 0..20 {
        notes.unknown_word("rows", "field1", &format!("word{n}"));
    }
    clock.0.store(5000, Ordering::SeqCst);
    notes.unknown_word("rows", "field1", "x");
    let list = notes.list();
    assert_eq!((list.len(), notes.others()), (MOST, 200 - MOST as u64));
    let note = list.iter().find(|n| n.field == "field1").unwrap();
    assert_eq!(note.detail.as_ref().unwrap().split(", ").count(), WORDS);
    assert_eq!((note.first.as_ms(), note.last.as_ms()), (0, 5000));
}

#[test]
fn looking_costs_no_more_than_its_budget() {
    let clock = Arc::new(Hand::default());
    let notes = Notes::new(clock.clone());
    let long = format!(r#"[{{"id":"a","more":"{}"}}]"#, "x".repeat(BYTES));
    read(&notes, &long);
    read(&notes, r#"[{"online":7}]"#);
    assert!(notes.list().is_empty(), "the budget of this second is spent");
    clock.0.store(1000, Ordering::SeqCst);
    read(&notes, r#"[{"online":7}]"#);
    assert_eq!(notes.list().len(), 1);
}

#[test]
fn deep_and_odd_bodies_are_no_crash() {
    let notes = Notes::default();
    for body in ["", "3", "null", "{}", "[[[]]]", "[null,1,\"x\",[],{}]", &"[".repeat(100_000)] {
        notes.look("rows", body.as_bytes(), &List::<Row>::SHAPE, Telling::All);
    }
}
