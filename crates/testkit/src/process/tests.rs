//! Checks supervision on shells, and that nothing survives its owner.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::{Launch, Process};
use crate::{eventually_blocking, run_dir};

const DEADLINE: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Process {
    Launch::new("shell", "sh").args(["-c", script]).start()
}

fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

fn is_gone(pid: i32) -> Result<(), String> {
    match state(pid) {
        None | Some('Z') => Ok(()),
        Some(state) => Err(format!("{pid} is in state {state}")),
    }
}

#[test]
fn a_line_of_either_output_is_found() {
    let process = shell("echo to out; echo to err >&2; exec sleep 60");
    assert_eq!(process.wait_for_line("err", DEADLINE), "to err");
    assert_eq!(process.wait_for_line("out", DEADLINE), "to out");
    assert!(process.resident_bytes() > 0);
    assert!(process.peak_resident_bytes() >= process.resident_bytes());
    assert!(process.cpu_time() < DEADLINE);
}

#[test]
#[should_panic(expected = "ended with exit status: 3")]
fn waiting_ends_with_the_process_and_says_how_it_ended() {
    shell("echo broken; exit 3").wait_for_line("ready", Duration::from_secs(600));
}

#[test]
#[should_panic(expected = "there is no program \"no-such-program\"")]
fn a_missing_program_is_named() {
    drop(Launch::new("x", "no-such-program").start());
}

#[test]
fn dropping_kills_the_whole_group() {
    let process = shell("sleep 600 & echo child $!; wait");
    let line = process.wait_for_line("child", DEADLINE);
    let grandchild = line.rsplit(' ').next().unwrap().parse().unwrap();
    let pid = process.pid();
    drop(process);
    eventually_blocking(DEADLINE, || is_gone(pid).and_then(|()| is_gone(grandchild)));
}

#[test]
fn a_pause_stops_it_and_a_resume_continues_it() {
    let process = shell("echo up; exec sleep 600");
    process.wait_for_line("up", DEADLINE);
    process.pause();
    eventually_blocking(DEADLINE, || match state(process.pid()) {
        Some('T') => Ok(()),
        other => Err(other),
    });
    process.resume();
    process.terminate();
    assert!(!process.wait_for_exit(DEADLINE).success());
}

/// Run by the test below in a process of its own, which it kills.
#[test]
fn helper_starts_a_child_for_the_test_below() {
    let Some(folder) = std::env::var_os("TESTKIT_ORPHAN_DIR") else {
        return;
    };
    let process = shell("exec sleep 600");
    std::fs::write(Path::new(&folder).join("pid"), process.pid().to_string()).unwrap();
    process.wait_for_exit(Duration::from_secs(600));
}

#[test]
fn a_killed_test_process_takes_its_children_along() {
    let folder = run_dir("orphan");
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "helper_starts_a_child_for_the_test_below",
            "--test-threads=1",
        ])
        .env("TESTKIT_ORPHAN_DIR", &folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child: i32 = eventually_blocking(DEADLINE, || {
        let text =
            std::fs::read_to_string(folder.join("pid")).map_err(|error| error.to_string())?;
        text.parse().map_err(|_| text)
    });
    assert!(is_gone(child).is_err());
    // Until then it is still `setpriv`, which may not have asked for its end yet.
    eventually_blocking(DEADLINE, || {
        let name = std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap();
        match name.trim() {
            "sleep" => Ok(()),
            _ => Err(name),
        }
    });
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually_blocking(DEADLINE, || is_gone(child));
}
