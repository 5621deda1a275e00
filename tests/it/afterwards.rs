//! What happens afterwards: effects, money, webhooks, messages and the bus, on real servers and the providers' fakes.
//!
//! Nothing sleeps: a bench pumps the steps of the workers until nothing is left to do, and moves the clock of its log
//! (and of the fakes) itself.

mod account_statements;
mod accounts;
mod amounts;
mod bench;
mod cooling;
mod each_rail;
mod each_refund;
mod faults;
mod fines;
mod invoices;
mod mail;
mod messages;
mod money;
mod nats;
mod offers;
mod other_way;
mod outside;
mod pages;
mod payout_desk;
mod payout_statements;
mod payouts;
mod promotions;
mod rails;
mod refunds;
pub(crate) mod servers;
mod split;
mod statements;
mod webhooks;
mod webpay;
