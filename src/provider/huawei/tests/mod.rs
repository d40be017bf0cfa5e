//! What an application becomes, and the client over real HTTP.
