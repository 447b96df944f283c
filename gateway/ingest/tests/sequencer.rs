//! Each rule of the sequencer as a scenario. [`support`] has the notation.

mod support;

use ingest::{Fault, MAX_EXCHANGE_EVENT, Numbering, OnCross, Sequencer, Tally};
use market::{Epoch, Event, Kind, Nanos, ResetReason, SymbolId};
use std::time::Duration;
use support::{EPOCH, MS, NOW, events, sequenced, sequencer, text};

/// What comes of a feed without an epoch.
fn check(lines: &[&str], wanted: &str) -> Sequencer {
    check_with(sequencer(Numbering::Own(EPOCH), OnCross::Status), lines, wanted)
}

/// What comes of a feed that is itself the sequencer.
fn check_kept(lines: &[&str], wanted: &str) -> Sequencer {
    check_with(sequencer(Numbering::Kept(EPOCH), OnCross::Status), lines, wanted)
}

fn check_with(mut sequencer: Sequencer, lines: &[&str], wanted: &str) -> Sequencer {
    assert_eq!(sequenced(&mut sequencer, lines), wanted, "of {lines:?}");
    sequencer
}

fn refreshes(sequencer: &mut Sequencer) -> Vec<u32> {
    sequencer.take_refreshes().map(|symbol| symbol.0).collect()
}

fn faults(sequencer: &Sequencer) -> Vec<(Fault, u64)> {
    let counted = Fault::ALL.map(|fault| (fault, sequencer.counts().faults(fault)));
    counted.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[test]
fn numbers_are_dense_for_each_symbol() {
    check(
        &["R b100:5 a101:3. 1/R.", "t101:1 a101:2. 1/b7:1.", "b99:1."],
        "R#1 b100:5#2 a101:3#3. 1/R#1. t101:1#4 a101:2#5. 1/b7:1#2. b99:1#6.",
    );
}

#[test]
fn levels_that_change_nothing_take_no_number_and_the_end_moves_to_what_is_left() {
    let sequencer =
        check(&["R b100:5.", "b100:5 b99:1 a101:0.", "b99:2 b99:2."], "R#1 b100:5#2. b99:1#3. b99:2#4.");
    assert_eq!(sequencer.counts().of(Tally::Unchanged), 3);
    assert_eq!(sequencer.counts().of(Tally::Events), 4);
}

#[test]
fn an_exchange_event_that_changes_nothing_is_none() {
    let sequencer = check(&["R b100:5.", "b100:5 a101:0.", "b100:6."], "R#1 b100:5#2. b100:6#3.");
    assert_eq!(sequencer.counts().of(Tally::Vanished), 1);
    assert_eq!(sequencer.counts().of(Tally::ExchangeEvents), 2);
}

#[test]
fn a_level_that_changes_and_changes_back_within_an_exchange_event_is_two_changes() {
    check(
        &["R b100:5.", "b100:6 b100:5.", "R b100:5 b100:0."],
        "R#1 b100:5#2. b100:6#3 b100:5#4. R#5 b100:5#6 b100:0#7.",
    );
}

#[test]
fn what_a_reset_writes_is_compared_to_an_empty_book() {
    check(&["R b100:5.", "R b100:5 a101:0.", "R."], "R#1 b100:5#2. R#3 b100:5#4. R#5.");
}

#[test]
fn a_jump_in_the_feeds_numbers_silences_the_symbol_until_a_reset_for_the_gap() {
    let mut sequencer = check(
        &["R#7 b100:5#8. 1/R#1.", "b99:1#10.", "b98:1#11. t5:5#12. 1/b1:1#2.", "R#40 b97:1#41.", "b96:1#42."],
        "R#1 b100:5#2. 1/R#1. gap 1/b1:1#2. Rgap#3 b97:1#4. b96:1#5.",
    );
    assert_eq!(refreshes(&mut sequencer), [0]);
    assert_eq!(sequencer.counts().of(Tally::Gaps), 1);
    assert_eq!(sequencer.counts().of(Tally::Stale), 2);
    assert_eq!(sequencer.books_standing(), 2);
}

#[test]
fn a_hole_within_an_exchange_event_refuses_all_of_it() {
    check(&["R#1 b100:5#2.", "b99:1#3 b98:1#5."], "R#1 b100:5#2. gap");
}

#[test]
fn a_reset_behind_a_hole_heals_it_at_once() {
    check(&["R#1.", "R#5 b1:1#6.", "b2:1#7."], "R#1. gap Rgap#2 b1:1#3. b2:1#4.");
}

#[test]
fn a_reset_with_a_hole_in_it_heals_nothing() {
    let mut sequencer = check(&["R#1.", "gap", "R#5 b1:1#7.", "R#8 b1:1#9."], "R#1. gap Rgap#2 b1:1#3.");
    assert_eq!(refreshes(&mut sequencer), [0]);
}

#[test]
fn a_missing_book_is_asked_for_every_second() {
    let mut sequencer = check(&["R. 1/b1:1.", "gap"], "R#1. gap");
    let asked = |sequencer: &mut Sequencer, ms: u64| {
        sequencer.ask_again(NOW + Duration::from_millis(ms));
        refreshes(sequencer)
    };
    assert_eq!(refreshes(&mut sequencer), [1, 0]);
    assert_eq!(asked(&mut sequencer, 0), [0, 1]);
    assert_eq!(asked(&mut sequencer, 999), []);
    assert_eq!(asked(&mut sequencer, 1_000), [0, 1]);
    sequenced(&mut sequencer, &["R. 1/R."]);
    assert_eq!(asked(&mut sequencer, 5_000), []);
}

#[test]
fn a_number_that_was_there_before_is_a_repeat() {
    let sequencer = check(
        &["R#1 b100:5#2.", "R#1 b100:5#2.", "b99:1#3.", "b100:5#2 b99:1#3 b98:1#4.", "t9:1#4."],
        "R#1 b100:5#2. b99:1#3. b98:1#4.",
    );
    assert_eq!(sequencer.counts().of(Tally::Repeats), 5);
}

#[test]
fn a_reset_with_an_old_number_and_new_ones_behind_it_is_a_hole_that_it_heals() {
    check(&["R#1 b1:1#2.", "b2:1#3.", "R#3 b9:9#4."], "R#1 b1:1#2. b2:1#3. gap Rgap#4 b9:9#5.");
}

#[test]
fn a_repeat_within_an_exchange_event_is_dropped() {
    check(&["R#1.", "t9:1#2 t9:1#2 t9:2#3."], "R#1. t9:1#2 t9:2#3.");
}

#[test]
fn a_feed_without_numbers_has_no_holes() {
    check(&["R b100:5.", "b99:1."], "R#1 b100:5#2. b99:1#3.");
}

#[test]
fn a_gap_that_the_feed_reports_is_told_once() {
    let mut sequencer = check(&["R b1:1. gap gap", "b2:2. R b3:3."], "R#1 b1:1#2. gap Rgap#3 b3:3#4.");
    assert_eq!(sequencer.counts().of(Tally::Gaps), 1);
    assert_eq!(refreshes(&mut sequencer), [0]);
}

#[test]
fn a_reset_keeps_the_feeds_reason_but_after_a_gap() {
    check(&["R.", "Rloop.", "gap", "Rloop.", "R."], "R#1. Rloop#2. gap Rgap#3. R#4.");
}

#[test]
fn kept_numbers_stay_as_they_are_even_of_levels_that_change_nothing() {
    let sequencer = check_kept(&["R#41 b1:1#42.", "b1:1#43 t5:5#44."], "R#41 b1:1#42. b1:1#43 t5:5#44.");
    assert_eq!(sequencer.ids().epoch, EPOCH);
}

#[test]
fn a_hole_in_kept_numbers_is_a_gap() {
    check_kept(&["R#1 b1:1#2.", "b2:1#4.", "R#9 b3:1#10."], "R#1 b1:1#2. gap Rgap#9 b3:1#10.");
}

#[test]
fn kept_numbers_never_go_back() {
    check_kept(&["R#5 b1:1#6.", "gap", "R#1 b9:9#2.", "R#5 b9:9#6.", "R#7."], "R#5 b1:1#6. gap Rgap#7.");
}

#[test]
fn a_feed_that_numbers_for_itself_has_to_number_everything() {
    let sequencer = check_kept(&["R#1 b1:1#2.", "b1:2."], "R#1 b1:1#2. gap");
    assert_eq!(faults(&sequencer), [(Fault::BadNumber, 1)]);
}

#[test]
fn a_number_out_of_range_is_refused() {
    let sequencer = check(&["R#1.", &format!("b1:1#{}.", u64::MAX)], "R#1. gap");
    assert_eq!(faults(&sequencer), [(Fault::BadNumber, 1)]);
}

#[test]
fn unknown_symbols_are_dropped() {
    let mut sequencer = check(&["R. 2/R 2/b1:1. b1:1. 9/gap"], "R#1. b1:1#2.");
    assert_eq!(faults(&sequencer), [(Fault::UnknownSymbol, 2)]);
    let warnings: Vec<_> = sequencer.take_warnings().collect();
    assert_eq!((warnings.len(), warnings[0].symbol), (1, SymbolId(2)));
    assert_eq!(refreshes(&mut sequencer), []);
}

#[test]
fn an_instrument_is_known_once_it_is_listed() {
    let mut sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    sequencer.list(4, NOW, &mut out);
    sequencer.list(3, NOW, &mut out);
    assert_eq!(text(&out), "2/listing 3/listing");
    check_with(sequencer, &["3/R."], "3/R#1.");
}

#[test]
fn before_the_first_book_trades_pass_and_levels_do_not() {
    let mut sequencer =
        check(&["t5:1.", "b5:1 t5:2 a6:1.", "b4:1.", "R b1:1."], "t5:1#1. t5:2#2. R#3 b1:1#4.");
    assert_eq!(faults(&sequencer), [(Fault::BeforeReset, 2)]);
    assert_eq!(refreshes(&mut sequencer), [0], "the book is asked for once");
}

#[test]
fn before_the_first_book_a_feed_that_numbers_for_itself_may_only_trade() {
    let mut sequencer =
        check_kept(&["t5:1#3.", "b5:1#4.", "t5:1#5.", "R#6 b1:1#7."], "t5:1#3. gap Rgap#6 b1:1#7.");
    assert_eq!(faults(&sequencer), [(Fault::BeforeReset, 1)]);
    assert_eq!(refreshes(&mut sequencer), [0]);
}

#[test]
fn an_exchange_event_of_two_symbols_loses_the_one_that_did_not_end() {
    let mut sequencer =
        check(&["R. 1/R.", "b1:1 1/b1:1.", "b2:1. 1/b2:1."], "R#1. 1/R#1. gap 1/b1:1#2. 1/b2:1#3.");
    assert_eq!(faults(&sequencer), [(Fault::MixedSymbols, 1)]);
    assert_eq!(refreshes(&mut sequencer), [0]);
}

#[test]
fn an_exchange_event_that_is_broken_off_is_refused() {
    let sequencer = check(&["R.", "b1:1 tick b2:1."], "R#1. gap");
    assert_eq!(faults(&sequencer), [(Fault::Unfinished, 1)]);
}

#[test]
fn an_exchange_event_may_come_in_pieces() {
    check(&["R", "b1:1 b2:1", "", "b3:1.", "b4:1."], "R#1 b1:1#2 b2:1#3 b3:1#4. b4:1#5.");
}

#[test]
fn the_end_of_the_feed_breaks_off_what_has_begun() {
    let mut sequencer = check(&["R.", "b1:1"], "R#1.");
    let mut out = Vec::new();
    sequencer.end(NOW, &mut out);
    sequencer.end(NOW, &mut out);
    assert_eq!(text(&out), "gap");
}

#[test]
fn a_reset_within_an_exchange_event_stands_for_itself() {
    let sequencer = check(&["R b9:9.", "b1:1 R b2:1."], "R#1 b9:9#2. gap Rgap#3 b2:1#4.");
    assert_eq!(faults(&sequencer), [(Fault::MisplacedReset, 1)]);
}

#[test]
fn an_exchange_event_that_would_take_all_memory_is_refused() {
    let mut sequencer = check(&["R."], "R#1.");
    let mut out = Vec::new();
    let piece = vec![events("b1:1")[0]; MAX_EXCHANGE_EVENT / 2 + 1];
    sequencer.push(&piece, NOW, &mut out);
    sequencer.push(&piece, NOW, &mut out);
    assert_eq!(text(&out), "gap");
    assert_eq!(faults(&sequencer), [(Fault::TooLarge, 1)]);
}

#[test]
fn a_large_reset_is_cut_into_exchange_events_of_which_only_the_final_one_is_whole() {
    check(
        &["R b1:1 b2:1 b2:1 b3:1 b4:1 b5:1 b6:1 b7:1 b8:1 b9:1."],
        "R#1~ b1:1#2~ b2:1#3~ b3:1#4~ b4:1#5~ b5:1#6~ b6:1#7~ b7:1#8~. b8:1#9 b9:1#10.",
    );
    check(
        &["R b1:1 b2:1 b3:1 b4:1 b5:1 b6:1 b7:1 b7:1."],
        "R#1 b1:1#2 b2:1#3 b3:1#4 b4:1#5 b5:1#6 b6:1#7 b7:1#8.",
    );
}

#[test]
fn a_reset_that_was_cut_smaller_is_put_together_and_stands_at_its_end() {
    let mut sequencer = check_kept(&["R#1~ b1:1#2~.", "b2:1#3~.", "1/t5:5#1."], "gap 1/t5:5#1.");
    assert_eq!(faults(&sequencer), [(Fault::MixedSymbols, 1)], "its pieces follow one another");
    assert_eq!(sequencer.books_standing(), 0);
    let pieces = ["R#4~ b1:1#5~.", "b2:1#6~. b3:1#7."];
    assert_eq!(sequenced(&mut sequencer, &pieces), "Rgap#4 b1:1#5 b2:1#6 b3:1#7.");
    assert_eq!(sequencer.books_standing(), 1);
}

#[test]
fn a_large_exchange_event_becomes_its_trades_and_the_book_that_it_results_in() {
    let sequencer = check(
        &[
            "R#1 b9:9#2 a20:1#3.",
            "a20:1#3 t9:1#4 b9:8#5 t9:1#4 t9:2#6 b8:1#7 b7:1#8 b8:2#9 a20:0#10 a21:1#11 b6:0#12.",
            "b1:1#13.",
        ],
        "R#1 b9:9#2 a20:1#3. t9:1#4 t9:2#5. R#6 b9:8#7 b8:2#8 b7:1#9 a21:1#10. b1:1#11.",
    );
    assert_eq!(faults(&sequencer), [(Fault::TooLarge, 1)]);
}

#[test]
fn many_trades_are_cut_and_no_fault() {
    let sequencer = check(
        &["t1:1 t1:1 t1:1 t1:1 t1:1 t1:1 t1:1 t1:1 t1:1."],
        "t1:1#1 t1:1#2 t1:1#3 t1:1#4 t1:1#5 t1:1#6 t1:1#7 t1:1#8. t1:1#9.",
    );
    assert_eq!(faults(&sequencer), []);
}

#[test]
fn a_large_exchange_event_of_a_feed_that_numbers_for_itself_is_refused() {
    let sequencer =
        check_kept(&["R#1.", "b1:1#2 b2:1#3 b3:1#4 b4:1#5 b5:1#6 b6:1#7 b7:1#8 b8:1#9 b9:1#10."], "R#1. gap");
    assert_eq!(faults(&sequencer), [(Fault::TooLarge, 1)]);
}

#[test]
fn a_crossed_book_is_told_when_it_comes_to_be() {
    let sequencer = check(
        &["R b5:1 a6:1.", "b6:1.", "b7:1.", "t6:1.", "b7:0 b6:0.", "a5:2."],
        "R#1 b5:1#2 a6:1#3. b6:1#4. crossed b7:1#5. t6:1#6. b7:0#7 b6:0#8. a5:2#9. crossed",
    );
    assert_eq!(sequencer.counts().of(Tally::Crossed), 4);
}

#[test]
fn a_book_that_comes_back_crossed_from_a_gap_is_told_again() {
    check(
        &["R b5:1 a5:1.", "gap", "R b5:1 a5:1."],
        "R#1 b5:1#2 a5:1#3. crossed gap Rgap#4 b5:1#5 a5:1#6. crossed",
    );
}

#[test]
fn a_book_that_is_crossed_within_an_exchange_event_only_is_not() {
    check(&["R b5:1 a6:1.", "b6:1 a6:0."], "R#1 b5:1#2 a6:1#3. b6:1#4 a6:0#5.");
}

#[test]
fn a_crossed_book_can_be_made_a_fault() {
    let sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Reset);
    let mut sequencer = check_with(
        sequencer,
        &["R b5:1 a6:1.", "b6:1.", "b7:1.", "R b1:1."],
        "R#1 b5:1#2 a6:1#3. b6:1#4. crossed gap Rgap#5 b1:1#6.",
    );
    assert_eq!(refreshes(&mut sequencer), [], "it may be as crossed as before");
    sequenced(&mut sequencer, &["a1:1."]);
    sequencer.ask_again(NOW);
    assert_eq!(refreshes(&mut sequencer), [0]);
}

#[test]
fn another_source_has_to_send_every_book_anew() {
    let mut sequencer = check(&["R#5 b1:1#6. 1/t5:1#3."], "R#1 b1:1#2. 1/t5:1#1.");
    let mut out = Vec::new();
    sequencer.restart(NOW, &mut out);
    sequencer.ask_again(NOW);
    assert_eq!(text(&out), "gap");
    assert_eq!(refreshes(&mut sequencer), [0]);
    check_with(sequencer, &["b2:1#7. R#1 b1:2#2. 1/t5:2#1."], "Rgap#3 b1:2#4. 1/t5:2#2.");
}

/// What comes of a feed, ticks included.
fn check_time(lines: &[&str], wanted: &str) -> Sequencer {
    let mut sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    lines.iter().for_each(|line| sequencer.push(&events(line), NOW, &mut out));
    assert_eq!(text(&out), wanted);
    sequencer
}

#[test]
fn a_tick_stands_before_what_is_in_another_bucket() {
    check_time(
        &["@5 R. @9 b1:1. @10 b2:1. @12 1/R. @35 b3:1 b4:1. @44 b5:1."],
        "tick@5 R#1. b1:1#2. tick@10 b2:1#3. 1/R#1. tick@35 b3:1#4 b4:1#5. tick@44 b5:1#6.",
    );
}

#[test]
fn feed_time_never_goes_back_and_an_events_own_time_stays() {
    let sequencer = check_time(&["@35 R. @9 b1:1. @39 b2:1."], "tick@35 R#1. b1:1#2. b2:1#3.");
    assert_eq!(sequencer.feed_time(), Nanos(39 * MS));
    assert_eq!(sequencer.book(SymbolId(0)).unwrap().mark().timestamp, Nanos(39 * MS));
}

#[test]
fn what_vanishes_does_not_move_feed_time() {
    let sequencer = check_time(&["@5 R. @90 b1:0. @6 b1:1."], "tick@5 R#1. b1:1#2.");
    assert_eq!(sequencer.feed_time(), Nanos(6 * MS));
}

#[test]
fn an_exchange_event_lies_where_its_latest_event_does() {
    check_time(&["@9 R @10 b1:1."], "tick@10 R#1 b1:1#2.");
}

#[test]
fn a_watermark_moves_feed_time_when_nothing_happens() {
    let mut sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    for ms in [0, 5, 7, 12, 3, 12, 95] {
        sequencer.reach(Nanos(ms * MS), NOW, &mut out);
    }
    sequencer.reach(Nanos(u64::MAX), NOW, &mut out);
    assert_eq!(text(&out), "tick@5 tick@12 tick@95");
    assert_eq!(sequencer.feed_time(), Nanos(95 * MS));
}

#[test]
fn a_tick_of_the_feed_is_a_watermark() {
    check_time(&["@5 R. @25 tick @29 tick @26 b1:1."], "tick@5 R#1. tick@25 b1:1#2.");
}

#[test]
fn a_time_out_of_range_does_not_spoil_feed_time() {
    let mut sequencer = check_time(&["@5 R."], "tick@5 R#1.");
    let mut out = Vec::new();
    let late = Event { timestamp: Nanos(u64::MAX), ..events("b1:1.")[0] };
    sequencer.push(&[late], NOW, &mut out);
    assert_eq!(text(&out), "b1:1#2.");
    assert_eq!((sequencer.feed_time(), faults(&sequencer)), (Nanos(5 * MS), vec![(Fault::BadTime, 1)]));
}

#[test]
fn every_event_is_stamped_and_keeps_its_times_when_packed() {
    let mut sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    let engine = Nanos(NOW.0 - 55);
    let taken: Vec<Event> =
        events("@5 R b5:5 a5:5. gap").into_iter().map(|event| Event { engine, ..event }).collect();
    sequencer.push(&taken, NOW, &mut out);
    assert_eq!(text(&out), "tick@5 R#1 b5:5#2 a5:5#3. crossed gap");
    for event in &out {
        assert_eq!(event.ingest, NOW, "{event:?}");
        assert_eq!(event.engine, if event.kind.is_numbered() { engine } else { NOW });
        assert_eq!(Event::unpack(&event.pack()), Some(*event));
    }
}

#[test]
fn what_the_sequencer_says_itself_is_not_taken_from_a_feed() {
    let mut sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    let kinds = [Kind::Crossed, Kind::FeedStalled, Kind::FeedEnded, Kind::Listing];
    sequencer.push(&kinds.map(Event::new), NOW, &mut out);
    assert_eq!(text(&out), "");
}

#[test]
fn a_jump_begins_numbers_anew_in_the_epoch_that_it_names() {
    let mut sequencer = sequencer(Numbering::Kept(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    sequencer.push(&events("@50 R#1 b1:1#2. t1:1#3."), NOW, &mut out);
    let ids = |sequencer: &Sequencer| (sequencer.ids().epoch, sequencer.kept_epoch());
    // Moved back within the epoch, and then to the next round, at a time before the first id.
    sequencer.push(&[Event::jump(Nanos(20 * MS), EPOCH.into(), ResetReason::Seek)], NOW, &mut out);
    assert_eq!(ids(&sequencer), (EPOCH, Some(EPOCH)));
    sequencer.push(&events("R#1 b1:1#2."), NOW, &mut out);
    out.clear();
    let round = Event::jump(Nanos(10 * MS), Epoch(5).into(), ResetReason::Loop);
    sequencer.push(&[round], Nanos(0), &mut out);
    assert_eq!(ids(&sequencer), (Epoch(5), Some(Epoch(5))));
    assert_eq!(
        (out.len(), out[0].jump_ids(), out[0].reset_reason()),
        (1, sequencer.ids(), ResetReason::Loop)
    );
    assert!(sequencer.ids().base > 3 + 2, "ids are never used again: {:?}", sequencer.ids());
    assert_eq!((sequencer.books_standing(), sequencer.feed_time()), (0, Nanos(10 * MS)));
    out.clear();
    sequencer.push(&events("@10 R#1 b1:1#2."), NOW, &mut out);
    assert!(text(&out).ends_with("R#1 b1:1#2."), "{}", text(&out));
}

#[test]
fn a_feed_without_numbers_of_its_own_does_not_jump() {
    let mut sequencer = sequencer(Numbering::Own(EPOCH), OnCross::Status);
    let mut out = Vec::new();
    sequencer.push(&[Event::jump(Nanos(5), Epoch(5).into(), ResetReason::Loop)], NOW, &mut out);
    assert_eq!((out.len(), sequencer.ids().epoch), (0, EPOCH));
    assert_eq!(faults(&sequencer), [(Fault::BadTime, 1)]);
}
