//! The alert rules as a person meets them: written as text, played against a floor of plain figures.

mod defaults;
mod editor;
mod floor;
mod laws;
mod life;
mod notices;
mod overlays;
mod overrides;
mod promtool;
mod real_world;
mod restart;
mod whole_floor;
