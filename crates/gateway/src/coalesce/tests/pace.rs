//! When windows are published.

use super::*;

#[tokio::test(start_paused = true)]
async fn samples_linger_from_the_first_of_their_window_on_and_no_longer() {
    let buffer = FakeBuffer::default();
    let fixture = start(&lingering(100), RecordFormat::Protobuf, buffer);
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..3 {
        let started = Instant::now();
        fixture.add(&[(1, 1, 1.0)], None).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_millis(100));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_while_nothing_is_under_way() {
    let fixture = start(&window(100), RecordFormat::Protobuf, FakeBuffer::default());
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..3 {
        let started = Instant::now();
        fixture.add(&[(1, 1, 1.0)], None).await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_window_nothing_waits() {
    let fixture = start(&window(0), RecordFormat::Protobuf, FakeBuffer::default());
    let started = Instant::now();
    fixture
        .add(&[(1, 1, 1.0), (2, 1, 1.0)], None)
        .await
        .unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_the_buffer_works_is_one_window() {
    let slow = Then::ConfirmAfter(Duration::from_millis(30));
    let buffer = FakeBuffer::that(slow);
    let fixture = start(&window(100), RecordFormat::Protobuf, buffer);
    let started = Instant::now();
    let requests = (0..6_u8).map(|n| {
        let fixture = &fixture;
        async move {
            tokio::time::sleep(Duration::from_millis(5 * u64::from(n))).await;
            fixture.add(&[(n, 1, f64::from(n))], None).await.unwrap();
            started.elapsed().as_millis()
        }
    });
    // The first goes at once; the others, whatever their names, go together when it is answered.
    assert_eq!(join_all(requests).await, [30, 60, 60, 60, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_window_is_published_though_the_buffer_is_silent_about_the_last() {
    let fixture = start(&window(100), RecordFormat::Protobuf, FakeBuffer::default());
    let silent = Then::ConfirmAfter(Duration::from_secs(9));
    let next = &fixture.buffer.next;
    next.lock().unwrap().extend([silent, Then::Confirm]);
    let started = Instant::now();
    let add = async |millis: u64, samples: &[Plain]| {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        fixture.add(samples, None).await.unwrap();
        started.elapsed().as_millis()
    };
    let (stuck, waits, goes) = ([(1, 1, 1.0)], [(2, 1, 1.0)], [(3, 1, 1.0)]);
    let answers = tokio::join!(add(0, &stuck), add(10, &waits), add(200, &goes));
    // The second waits for the first as long as a window may; the third comes when the second is answered.
    assert_eq!(answers, (9000, 110, 200));
}

#[tokio::test(start_paused = true)]
async fn a_full_record_does_not_wait_for_its_window() {
    let config = CoalesceConfig {
        max_record: Size(1000),
        ..lingering(1000)
    };
    let fixture = start(&config, RecordFormat::Protobuf, FakeBuffer::default());
    let samples: Vec<Plain> = (0..100).map(|n| (1, n, f64::from(n))).collect();
    let started = Instant::now();
    fixture.add(&samples, None).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let records = fixture.buffer.confirmed();
    assert!(records.len() > 2, "{}", records.len());
    let read: Vec<Plain> = records.iter().flat_map(read).collect();
    assert_eq!(read, samples);
}

#[tokio::test(start_paused = true)]
async fn the_next_window_does_not_wait_for_the_last_answer() {
    let slow = Then::ConfirmAfter(Duration::from_secs(5));
    let fixture = start(&window(5), RecordFormat::Protobuf, FakeBuffer::default());
    fixture.buffer.next.lock().unwrap().push_back(slow);
    let started = Instant::now();
    let slow = async {
        fixture.add(&[(1, 1, 1.0)], None).await.unwrap();
        started.elapsed().as_secs()
    };
    let fast = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        fixture.add(&[(1, 1, 2.0)], None).await.unwrap();
        started.elapsed().as_secs()
    };
    assert_eq!(tokio::join!(slow, fast), (5, 0));
}
