//! The schemas of this program (`schemas/`), as they are given out.

/// Makes the list of schemas out of their names.
macro_rules! schemas {
    ($($name:literal = $path:literal,)*) => {
        /// Every schema by its name, in alphabetical order.
        pub const ALL: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../schemas/", $path, ".schema.json"))),)*];
    };
}

schemas! {
    "amv-capacity-set" = "amv-capacity-set",
    "amv-places-reported" = "amv-places-reported",
    "amv" = "amv",
    "boundary-changed" = "boundary-changed",
    "carry-over-recorded" = "carry-over-recorded",
    "cloudevent" = "http/cloudevent",
    "counting-rule-set" = "counting-rule-set",
    "deadlines" = "deadlines",
    "delivery-receipt" = "http/delivery-receipt",
    "entry" = "entry",
    "evaluation-recorded" = "evaluation-recorded",
    "evaluation" = "evaluation",
    "explanation" = "explanation",
    "follow-on-housing-recorded" = "follow-on-housing-recorded",
    "forecast" = "forecast",
    "grants-reported" = "grants-reported",
    "municipality-registered" = "municipality-registered",
    "objection-recorded" = "objection-recorded",
    "objection-settled" = "objection-settled",
    "phase-set" = "phase-set",
    "placement-recorded" = "placement-recorded",
    "placement-transferred" = "placement-transferred",
    "placement-withdrawn" = "placement-withdrawn",
    "population-counted" = "population-counted",
    "public-statement" = "public-statement",
    "quota-allocated" = "quota-allocated",
    "quota-exchanged" = "quota-exchanged",
    "quota-published" = "quota-published",
    "receipt" = "receipt",
    "reconciliation" = "reconciliation",
    "replay" = "replay",
    "restatements" = "restatements",
    "scenario" = "scenario",
    "share" = "share",
    "statement" = "statement",
    "weeks" = "weeks",
    "delivered-follow-on-housing-recorded" = "delivered/follow-on-housing-recorded",
    "delivered-objection-recorded" = "delivered/objection-recorded",
    "delivered-placement-transferred" = "delivered/placement-transferred",
    "delivered-placement-withdrawn" = "delivered/placement-withdrawn",
}
