//! Quantities with units: a timeout is [`minutes(5)`](minutes), never a bare `300`.
//!
//! The registry's integers carry no unit; where a property's name or a patch tells it, the generated setter takes
//! `Value<Seconds>`, `Value<Mebibytes>` and so on. A quantity that is no whole number of the property's unit is a fault of
//! synthesis.

use crate::node::Node;
use crate::value::Value;

/// A span of time, converted to the unit that the property counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    seconds: u64,
}

/// `count` seconds.
pub const fn seconds(count: u64) -> Duration {
    Duration { seconds: count }
}

/// `count` minutes.
pub const fn minutes(count: u64) -> Duration {
    Duration { seconds: count * 60 }
}

/// `count` hours.
pub const fn hours(count: u64) -> Duration {
    Duration { seconds: count * 3_600 }
}

/// `count` days of 24 hours.
pub const fn days(count: u64) -> Duration {
    Duration {
        seconds: count * 86_400,
    }
}

impl Duration {
    /// The span in seconds.
    pub const fn as_seconds(self) -> u64 {
        self.seconds
    }
}

/// An amount of memory or storage, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    bytes: u64,
}

/// `count` mebibytes (MiB, 1,048,576 bytes).
pub const fn mebibytes(count: u64) -> Size {
    Size { bytes: count << 20 }
}

/// `count` gibibytes (GiB, 1,024 MiB).
pub const fn gibibytes(count: u64) -> Size {
    Size { bytes: count << 30 }
}

macro_rules! unit {
    ($(#[$doc:meta])* $unit:ident, $quantity:ident . $field:ident / $factor:expr, $plural:literal) => {
        $(#[$doc])*
        pub struct $unit(());

        impl From<$quantity> for Value<$unit> {
            fn from(quantity: $quantity) -> Self {
                let whole = quantity.$field / $factor;
                match i64::try_from(whole) {
                    Ok(number) if whole * $factor == quantity.$field => Self::from_node(Node::Integer(number)),
                    _ => Self::invalid(format!(
                        concat!("{} ", stringify!($field), " is no whole number of ", $plural, ", the unit of this property"),
                        quantity.$field
                    )),
                }
            }
        }

        impl From<Value<i64>> for Value<$unit> {
            /// A parameter or attribute that is a number already counts in the property's unit.
            fn from(value: Value<i64>) -> Self {
                Self::from_node(value.into_node())
            }
        }
    };
}

unit!(
    /// The type of an integer property that counts seconds.
    Seconds, Duration.seconds / 1, "seconds"
);
unit!(
    /// The type of an integer property that counts minutes.
    Minutes, Duration.seconds / 60, "minutes"
);
unit!(
    /// The type of an integer property that counts hours.
    Hours, Duration.seconds / 3_600, "hours"
);
unit!(
    /// The type of an integer property that counts days.
    Days, Duration.seconds / 86_400, "days"
);
unit!(
    /// The type of an integer property that counts mebibytes.
    Mebibytes, Size.bytes / (1 << 20), "mebibytes"
);
unit!(
    /// The type of an integer property that counts gibibytes.
    Gibibytes, Size.bytes / (1 << 30), "gibibytes"
);
