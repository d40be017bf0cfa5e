#![no_main]

certorder_fuzz::target!(private_key);
