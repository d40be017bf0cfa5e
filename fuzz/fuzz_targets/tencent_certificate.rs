#![no_main]

certorder_fuzz::target!(tencent_certificate);
