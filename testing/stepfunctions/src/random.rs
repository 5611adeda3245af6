//! The randomness of an execution: seeded, so that a run can be repeated. Never secret and never secure.

/// The generator of `java.util.Random`, which is what `$random(seed)` and `States.MathRandom` are on AWS.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: (seed ^ MULTIPLIER) & MASK,
        }
    }

    /// The next `bits` bits, at most 32.
    fn next(&mut self, bits: u32) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        self.state >> (48 - bits)
    }

    /// A number from 0 up to, but not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double carries")]
    pub(crate) fn unit(&mut self) -> f64 {
        let bits = (self.next(26) << 27) | self.next(27);
        bits as f64 / (1_u64 << 53) as f64
    }

    /// An unsigned number below `bound`, which is positive.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let bits = (self.next(32) << 32) | self.next(32);
        bits % bound.max(1)
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        for chunk in bytes.chunks_mut(4) {
            let bits = u32::try_from(self.next(32)).unwrap_or_default();
            chunk.copy_from_slice(&bits.to_be_bytes());
        }
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_42_gives_what_java_gives() {
        assert_eq!(Random::new(42).unit().to_string(), "0.7275636800328681");
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        let uuid = Random::new(1).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
    }
}
