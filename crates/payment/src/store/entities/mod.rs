//! The tables as sea-orm sees them. Instants are microseconds since 1970, money is minor units.

pub mod attempt;
pub mod capture;
pub mod payment;
pub mod refund;
