//! What every log owes: one suite, run against the simulated log, the embedded broker and, when
//! `OMS_TEST_KAFKA` names one (`host:port`), Apache Kafka.

mod bench;
mod groups;
mod publishing;
mod reading;
mod topics;

use bench::Bench;

/// Runs every case against one kind of log.
macro_rules! suite {
    ($kind:ident: $($room:ident { $($case:ident)* })*) => {
        mod $kind {$($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(kind) = super::Bench::$kind() {
                    super::$room::$case(kind).await;
                }
            }
        )*)*}
    };
}

/// Names every case once, for every kind.
macro_rules! contract {
    ([$($kind:ident)*] $cases:tt) => { $(contract!(@one $kind $cases);)* };
    (@one $kind:ident { $($cases:tt)* }) => { suite!($kind: $($cases)*); };
}

contract!([simulated embedded apache] {
    publishing {
        records_of_a_key_keep_their_order_and_their_partition
        a_partition_interleaves_its_keys_in_the_order_of_publishing
        headers_values_and_null_keys_survive
        unicode_keys_and_empty_values_survive
        every_record_gets_its_own_report
        a_refused_record_holds_back_the_rest_of_its_key
        keys_hash_as_the_java_client_hashes_them
        an_empty_batch_is_nothing
        a_ping_is_answered
    }
    reading {
        a_poll_gives_no_more_than_asked_for
        groups_read_independently
        what_was_stored_survives_and_the_rest_comes_again
        pause_stops_one_partition_and_resume_goes_on_behind_the_last_delivered
        lag_counts_down_to_caught_up
        a_poll_wakes_when_a_record_arrives
        closing_is_prompt_even_without_a_poll
    }
    groups {
        two_members_share_and_a_leaver_passes_on_its_partitions
        a_partition_that_went_away_can_neither_be_stored_nor_paused
        a_paused_partition_comes_back_running
    }
});
