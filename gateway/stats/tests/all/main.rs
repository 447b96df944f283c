//! Rolling windows, candles and averages, as their readers see them.

mod against_model;
mod edges;
mod memory;
mod model;
