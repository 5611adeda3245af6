//! What holds for all machines of a kind.

use std::{cell::Cell, time::Duration};

use proptest::prelude::*;
use serde_json::json;
use stepfunctions_runner::{Fault, Handlers, Reply, TaskCall, Time};

use crate::{evaluated, json_path, jsonata, output, run, task};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_retrier_waits_as_long_as_its_fields_say(
        interval in 1_u32..20, attempts in 0_u32..6, rate in 1_u32..4, longest in 1_u32..100,
    ) {
        let definition = jsonata(json!({ "Work": task(json!({ "Retry": [{
            "ErrorEquals": ["Busy"], "IntervalSeconds": interval, "MaxAttempts": attempts,
            "BackoffRate": rate, "MaxDelaySeconds": longest
        }] })) }));
        let calls = Cell::new(0);
        let mut handlers = Handlers::new().otherwise(|_: &TaskCall| {
            calls.set(calls.get() + 1);
            Fault::new("Busy", "")
        });
        let execution = run(&definition, json!({}), &mut handlers);
        let delays = (0..attempts).map(|attempt| (interval * rate.pow(attempt)).min(longest));
        prop_assert_eq!(calls.get(), attempts + 1);
        prop_assert_eq!(execution.elapsed(), Duration::from_secs(delays.sum::<u32>().into()));
        prop_assert_eq!(execution.transitions(), u64::from(attempts) + 1);
    }

    #[test]
    fn a_map_keeps_the_order_of_its_items_and_its_bound(
        durations in prop::collection::vec(0_u64..50, 0..12), bound in 1_usize..5,
    ) {
        let definition = jsonata(json!({ "Each": {
            "Type": "Map",
            "Items": "{% $states.input %}",
            "MaxConcurrency": bound,
            "ItemProcessor": { "StartAt": "Work", "States": { "Work": task(json!({})) } },
            "End": true
        } }));
        let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
            let seconds = call.arguments.as_u64().unwrap_or_default();
            Reply::new(Ok(call.arguments.clone())).after(Duration::from_secs(seconds))
        });
        let execution = run(&definition, json!(durations), &mut handlers);
        prop_assert_eq!(output(&execution), json!(durations));
        // As many workers as the bound, each taking the next item when it is free.
        let mut workers = vec![0; bound];
        for duration in &durations {
            let free = workers.iter_mut().min().unwrap();
            *free += duration;
        }
        prop_assert_eq!(execution.elapsed().as_secs(), workers.into_iter().max().unwrap());
    }

    #[test]
    fn a_pattern_with_wildcards_for_some_of_a_text_matches_it(text in "[a-z*\\\\]{0,12}", cut in 0_usize..12, long in 0_usize..4) {
        let characters: Vec<char> = text.chars().collect();
        let cut = cut.min(characters.len());
        let end = (cut + long).min(characters.len());
        let escaped = |part: &[char]| part.iter().flat_map(|one| {
            let mark = matches!(one, '*' | '\\').then_some('\\');
            mark.into_iter().chain([*one])
        }).collect::<String>();
        let pattern = format!("{}*{}", escaped(&characters[..cut]), escaped(&characters[end..]));
        let definition = json_path(json!({
            "Which": { "Type": "Choice", "Choices": [{ "Variable": "$", "StringMatches": pattern, "Next": "Yes" }], "Default": "No" },
            "Yes": { "Type": "Pass", "Result": true, "End": true },
            "No": { "Type": "Pass", "Result": false, "End": true }
        }));
        prop_assert_eq!(evaluated(&definition, json!(text)), json!(true));
    }

    #[test]
    fn a_time_is_read_back_as_it_was_written(milliseconds in -60_000_000_000_000_i64..200_000_000_000_000) {
        let time = Time::from_unix_millis(milliseconds);
        prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
    }
}
