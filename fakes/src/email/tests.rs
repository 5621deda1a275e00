//! Tests of the mail fake over a real connection.
