//! How long a thread works, as the kernel counts it: waiting for a busy neighbour is not counted.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::bodies::Bodies;
use super::line;
use crate::outcome::Outcome;

/// The parts that a measurement is cut into, to see how much it moves.
const SLICES: u32 = 5;

/// CPU time of this thread.
pub(super) fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

/// CPU time of this process.
pub(super) fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds)
        + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// Gives `work` one body after the other, each another one, for this much CPU time after a tenth of it as warm-up.
///
/// `work` answers how many samples it saw; all of them must be there.
pub(super) fn measure<B>(
    bodies: &Bodies,
    (scenario, subject, stage): (String, &str, &str),
    given: &[B],
    seconds: Duration,
    mut work: impl FnMut(&B) -> usize,
) -> Outcome {
    let started = Instant::now();
    let mut slice = |cpu: Duration| {
        let (from, mut requests, mut samples) = (thread_cpu(), 0_u64, 0_u64);
        loop {
            for body in given {
                samples += black_box(work(black_box(body))) as u64;
                requests += 1;
            }
            let used = thread_cpu().saturating_sub(from);
            if used >= cpu {
                return (requests, samples, used.as_secs_f64());
            }
        }
    };
    slice(seconds / 10);
    let slices: Vec<_> = (0..SLICES).map(|_| slice(seconds / SLICES)).collect();
    let mut outcome = line(bodies, scenario, subject, stage);
    outcome.elapsed_s = started.elapsed().as_secs_f64();
    outcome.cpu_s = Some(slices.iter().map(|(_, _, cpu_s)| cpu_s).sum());
    outcome.requests = slices.iter().map(|(requests, _, _)| requests).sum();
    outcome.samples = slices.iter().map(|(_, samples, _)| samples).sum();
    let expected = outcome.requests * bodies.batch() as u64;
    assert_eq!(
        outcome.samples, expected,
        "{subject} saw other samples than were sent"
    );
    let rates = slices
        .iter()
        .map(|(_, samples, cpu_s)| *samples as f64 / cpu_s / 1e6);
    let (least, most) = rates.fold((f64::MAX, 0_f64), |(least, most), rate| {
        (least.min(rate), most.max(rate))
    });
    outcome.note = format!("one thread; {least:.2} to {most:.2} M/s in {SLICES} parts of the run");
    outcome
}
