//! Tests of the SMS fake over real HTTP.
