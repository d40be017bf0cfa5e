#![no_main]

certorder_fuzz::target!(huawei_certificate);
