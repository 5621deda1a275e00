//! The rules of a site by example.

mod alternatives;
mod check;
mod closures;
mod hours;
mod lane;
mod settings;
mod starts;
