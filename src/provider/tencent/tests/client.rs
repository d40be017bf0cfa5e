//! The client against the simulated cloud, and against servers with odd manners.
