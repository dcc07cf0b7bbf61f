mod faults;
mod golden;
mod live;
