//! Ids as the services make them up, but the same in every run: they follow from a seed.

/// A source of ids. Two of the same seed give the same ids in the same order.
#[derive(Debug)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// SplitMix64; see <https://prng.di.unimi.it/splitmix64.c>.
    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A UUID of version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }

    /// Seven letters and digits, which is how CodePipeline names an artifact's object.
    pub(crate) fn object(&mut self) -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut rest = self.next();
        let letters = (0..7).map(|_| {
            // The remainder is below 62.
            let letter = LETTERS[(rest % 62) as usize];
            rest /= 62;
            char::from(letter)
        });
        letters.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_a_uuid_and_follow_from_the_seed() {
        let (mut one, mut same, mut other) = (Ids::seeded(1), Ids::seeded(1), Ids::seeded(2));
        let id = one.uuid();
        assert_eq!(id, same.uuid());
        assert_ne!(id, other.uuid());
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert_eq!(one.object(), same.object());
    }
}
