#![no_main]

certorder_fuzz::target!(archive);
