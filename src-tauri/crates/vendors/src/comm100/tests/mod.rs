mod golden;
mod live;
mod pages;
