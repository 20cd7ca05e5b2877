//! Who is told what, and when, of which records.

use futures::FutureExt as _;
use proptest::prelude::*;

use super::*;
use crate::coalesce::ticket::Settling;
use crate::metrics::SampleMeters;
use buffer::Durability;

fn ticket() -> Arc<Ticket> {
    Ticket::new(&Arc::new(SampleMeters::of("test")))
}

fn answer(ticket: &Arc<Ticket>) -> Option<Settled> {
    Settling::Ticket(Arc::clone(ticket)).now_or_never()
}

/// Nothing is added any more.
fn close(tickets: &[Arc<Ticket>]) {
    for ticket in tickets {
        ticket.settle(0, Weakest::default());
    }
}

/// Requests, and two records of a window. A claim is the number of a request and of a record.
fn window<const N: usize>(claims: &[(usize, usize)]) -> ([Arc<Ticket>; N], Parties, [Claims; 2]) {
    let tickets = std::array::from_fn(|_| ticket());
    let (mut parties, mut records) = (Parties::default(), <[Claims; 2]>::default());
    for (ticket, record) in claims {
        parties.claim(&mut records[*record], &tickets[*ticket], 1);
    }
    close(&tickets);
    (tickets, parties, records)
}

fn lost() -> Settled {
    Err(PublishError::Unconfirmed("lost".to_owned()))
}

#[test]
fn a_record_that_fails_is_told_to_those_who_are_in_it() {
    let (tickets, mut parties, records) = window::<3>(&[(0, 0), (0, 1), (1, 0), (2, 1)]);
    parties.settle(records[0], &lost());
    assert_eq!(answer(&tickets[0]), None, "its other record is under way");
    assert_eq!(answer(&tickets[1]), Some(lost()));
    parties.settle(records[1], &Ok(Durability::Kafka));
    assert_eq!(answer(&tickets[0]), Some(lost()));
    assert_eq!(answer(&tickets[2]), Some(Ok(Durability::Kafka)));
    assert!(parties.is_settled());
}

#[test]
fn a_request_waits_for_no_record_of_others() {
    let (tickets, mut parties, records) = window::<2>(&[(0, 0), (1, 1)]);
    parties.settle(records[1], &Ok(Durability::Spool));
    assert_eq!(answer(&tickets[1]), Some(Ok(Durability::Spool)));
    assert_eq!(answer(&tickets[0]), None);
    assert!(!parties.is_settled());
}

#[test]
fn whoever_still_waits_when_the_window_goes_is_told_that_it_failed() {
    let (tickets, mut parties, records) = window::<2>(&[(0, 0), (1, 1)]);
    parties.settle(records[0], &Ok(Durability::Local));
    drop(parties);
    assert_eq!(answer(&tickets[0]), Some(Ok(Durability::Local)));
    let told = answer(&tickets[1]);
    assert!(
        matches!(told, Some(Err(PublishError::Unconfirmed(_)))),
        "{told:?}"
    );
}

#[test]
fn a_request_that_went_away_is_counted_all_the_same() {
    let ticket = ticket();
    let mut parties = Parties::default();
    let mut record = Claims::default();
    parties.claim(&mut record, &ticket, 3);
    parties.claim(&mut record, &ticket, 4);
    close(std::slice::from_ref(&ticket));
    let gone = Arc::downgrade(&ticket);
    drop(ticket);
    parties.settle(record, &Ok(Durability::Kafka));
    assert!(parties.is_settled());
    let ticket = gone.upgrade().expect("its window knows it");
    assert_eq!(ticket.counted(), (7, 0));
}

/// What becomes of a record.
fn fate() -> impl Strategy<Value = Option<Durability>> {
    prop_oneof![
        4 => Just(Some(Durability::Kafka)),
        1 => Just(Some(Durability::Spool)),
        1 => Just(None),
    ]
}

/// Requests by the records that they are in, window and record, with samples.
fn requests() -> impl Strategy<Value = Vec<Vec<(usize, usize, u32)>>> {
    let claim = (0_usize..3, 0_usize..4, 0_u32..5);
    prop::collection::vec(prop::collection::vec(claim, 1..12), 1..12)
}

proptest! {
    /// After each record, each request is told what its own records came to, once all of them are answered, and nothing before.
    #[test]
    fn every_request_is_told_of_its_own_records_and_of_no_others(
        requests in requests(),
        fates in prop::collection::vec(prop::collection::vec(fate(), 4), 3),
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let mut windows: [Parties; 3] = Default::default();
        let mut records: [[Claims; 4]; 3] = Default::default();
        let tickets: Vec<_> = requests.iter().map(|_| ticket()).collect();
        for (ticket, claims) in tickets.iter().zip(&requests) {
            // As shards are: one after the other.
            for window in 0..3 {
                for (_, record, samples) in claims.iter().filter(|claim| claim.0 == window) {
                    windows[window].claim(&mut records[window][*record], ticket, *samples);
                }
            }
        }
        close(&tickets);
        let mut answered = Vec::new();
        for place in order {
            let (window, record) = (place / 4, place % 4);
            let fate = fates[window][record].ok_or_else(|| PublishError::Unconfirmed("lost".to_owned()));
            windows[window].settle(records[window][record], &fate);
            answered.push((window, record));
            for (ticket, claims) in tickets.iter().zip(&requests) {
                let own = || claims.iter().map(|claim| (claim.0, claim.1));
                let is_over = own().all(|own| answered.contains(&own));
                let expected = is_over.then(|| {
                    let fates = own().map(|(window, record)| fates[window][record]);
                    if fates.clone().any(|fate| fate.is_none()) {
                        lost()
                    } else {
                        let is_spooled = fates.flatten().any(|fate| fate == Durability::Spool);
                        Ok(if is_spooled { Durability::Spool } else { Durability::Kafka })
                    }
                });
                prop_assert_eq!(answer(ticket), expected);
                if is_over {
                    let of = |is_durable: bool| {
                        let is_it = |claim: &&(usize, usize, u32)| fates[claim.0][claim.1].is_some() == is_durable;
                        claims.iter().filter(is_it).map(|claim| u64::from(claim.2)).sum::<u64>()
                    };
                    prop_assert_eq!(ticket.counted(), (of(true), of(false)));
                }
            }
        }
        prop_assert!(windows.iter().all(Parties::is_settled));
    }
}
