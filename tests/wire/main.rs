//! The HTTP edge on the wire: raw bytes over loopback against a trivial handler.

mod faults;
mod floods;
mod heads;
mod kit;
mod sizes;
mod slow;
mod smuggling;
mod stop;
mod tls;
