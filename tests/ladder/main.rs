//! The ladder: figures of this program against a yardstick measured in the same run. Prints one JSON
//! object a line; `cargo ladder` lays them out. Words on the command line are the rows wanted.

mod apply;
mod floor;
mod measure;
mod receive;
mod rules;

/// A row and how it is measured.
type Rung = (&'static str, fn() -> measure::Row);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |row: &str| wanted.is_empty() || wanted.iter().any(|w| w == row);
    let rows: [Rung; 6] = [
        ("a1", receive::a1),
        ("a4", receive::a4),
        ("b3", apply::b3),
        ("d2", apply::d2),
        ("h1", rules::h1),
        ("h2", rules::h2),
    ];
    for (name, run) in rows {
        if is_wanted(name) {
            println!("{}", run().json());
        }
    }
}
