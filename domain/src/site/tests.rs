//! The rulebook of sites: hours, grid, prices, availability.
