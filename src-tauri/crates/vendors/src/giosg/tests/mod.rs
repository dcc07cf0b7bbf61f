mod golden;
mod live;
