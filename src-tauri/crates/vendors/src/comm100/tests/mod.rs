mod faults;
mod golden;
mod live;
mod pages;
mod tokens;
