#![no_main]

certorder_fuzz::target!(chain);
