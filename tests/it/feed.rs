//! The event feed as readers outside have it: streams over HTTP, the bus, schemas, the AsyncAPI document.

mod bus;
mod documents;
mod limits;
mod process;
pub(crate) mod reader;
mod rights;
mod stream;
