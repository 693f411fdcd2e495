//! Labels whose values are a closed list of words.

/// Declares a label by its words. A value is the position of one of them.
macro_rules! closed_label {
    ($(#[$meta:meta])* $name:ident: $($word:literal),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct $name(u8);

        impl $name {
            const NAMES: [&str; [$($word),+].len()] = [$($word),+];

            pub(super) const COUNT: usize = Self::NAMES.len();

            /// In the order of their names.
            pub(super) const ALL: [Self; Self::COUNT] = {
                let mut all = [Self(0); Self::COUNT];
                let mut index = 0;
                while index < Self::COUNT {
                    all[index] = Self(index as u8);
                    index += 1;
                }
                all
            };

            pub(super) fn all() -> impl Iterator<Item = (usize, &'static str)> {
                Self::NAMES.into_iter().enumerate()
            }

            pub(super) const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

pub(super) use closed_label;
