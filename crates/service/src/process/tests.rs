//! What `/proc` says is understood.

use super::{
    allow_open_files, connections_within, cpu_seconds, max_fds, render, resident_bytes, start_time,
};

const STAT: &str = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 75 0 0 20 0 3 0 4200 1000 200";

#[test]
fn the_files_are_understood() {
    assert_eq!(cpu_seconds(STAT), Some(2.25));
    assert_eq!(
        start_time(STAT, "cpu 1 2\nbtime 1700000000\n"),
        Some(1_700_000_042.0)
    );
    assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    8 kB\n"), Some(8192.0));
    let limits =
        "Limit   Soft   Hard\nMax open files            1024                 4096     files\n";
    assert_eq!(max_fds(limits), Some(1024.0));
}

#[test]
fn files_that_say_something_else_are_no_values() {
    for odd in ["", "7 (x", ")", "Max open files unlimited", "VmRSS: 8 MB"] {
        assert_eq!(cpu_seconds(odd), None);
        assert_eq!(start_time(odd, odd), None);
        assert_eq!(resident_bytes(odd), None);
        assert_eq!(max_fds(odd), None);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_has_them_all() {
    let mut text = String::new();
    render(&mut text);
    for metric in super::CATALOGUE {
        let line = text
            .lines()
            .find(|line| line.starts_with(metric.name))
            .unwrap_or_else(|| panic!("{} is missing in {text}", metric.name));
        let value: f64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
        assert!(value.is_finite() && value >= 0.0, "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn as_many_files_may_be_open_as_the_system_allows() {
    let allowed = allow_open_files();
    assert_eq!(allow_open_files(), allowed);
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let [soft, hard] = [3, 4].map(|column| line.split_whitespace().nth(column).unwrap());
    assert_eq!(soft, hard);
}

#[test]
fn connections_leave_files_for_others() {
    for (files, wanted, room) in [
        (None, 20_000, 20_000),
        (Some(1 << 20), 20_000, 20_000),
        (Some(20_000), 20_000, 18_976),
        (Some(1024), 20_000, 768),
        (Some(1024), 100, 100),
        (Some(1), 100, 1),
        (Some(0), 100, 1),
    ] {
        assert_eq!(connections_within(files, wanted), room, "{files:?}");
    }
}
