//! Events sent to endpoints, as whoever receives them has it: the API, the workers, and a receiver that checks for itself.

mod life;
mod line;
mod order;
mod rights;
mod stream;
mod trouble;
