//! Mirrors: copies of requests for a backend whose answers are not waited for.

use std::fmt;

use crate::name::BackendId;

/// Sends a share of the requests to one more backend.
///
/// Nothing is sent here: the caller, which forwards the request, sends the copies too, once it is sure to attempt the request
/// itself. A mirror whose backend cannot be resolved is simply not made; it never harms the request.
///
/// # Spec
/// `HTTPRequestMirrorFilter`, [FMR-01](crate::spec#FMR-01) to [FMR-09](crate::spec#FMR-09); the choices are
/// [AMB-50](crate::choices#AMB-50) to [AMB-52](crate::choices#AMB-52).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestMirror {
    /// Where the copies go.
    pub backend: BackendId,
    /// How many of the requests are copied.
    pub share: Share,
}

/// A share of the requests, from none to all.
///
/// # Spec
/// `percent`, `Fraction`, [FMR-04](crate::spec#FMR-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    numerator: u32,
    denominator: u32,
}

/// A share that is less than nothing or more than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Not from 0 to 100.
    #[error("{0} percent is not a share; write 0 to 100")]
    Percent(i32),
    /// Not from 0 to 1, or divided by nothing.
    #[error(
        "{numerator}/{denominator} is not a share; write a numerator from 0 to the denominator, which is at least 1"
    )]
    Fraction {
        /// As written.
        numerator: i32,
        /// As written.
        denominator: i32,
    },
}

// === impl Share ===

impl Share {
    /// Every request.
    pub const fn all() -> Self {
        Self { numerator: 1, denominator: 1 }
    }

    /// `percent` of a hundred requests.
    ///
    /// # Errors
    /// When it is not from 0 to 100.
    pub fn percent(percent: i32) -> Result<Self, ShareError> {
        Self::fraction(percent, 100).map_err(|_| ShareError::Percent(percent))
    }

    /// `numerator` of `denominator` requests.
    ///
    /// # Errors
    /// When the denominator is less than 1 or the numerator not from 0 to the denominator.
    pub fn fraction(numerator: i32, denominator: i32) -> Result<Self, ShareError> {
        let refused = ShareError::Fraction { numerator, denominator };
        match (u32::try_from(numerator), u32::try_from(denominator)) {
            (Ok(numerator), Ok(denominator)) if denominator > 0 && numerator <= denominator => {
                Ok(Self { numerator, denominator })
            }
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Err(refused),
        }
    }

    /// Whether the request that drew the number `random` is taken.
    ///
    /// Of any `denominator` consecutive numbers exactly `numerator` are taken.
    pub fn taken(self, random: u64) -> bool {
        random % u64::from(self.denominator) < u64::from(self.numerator)
    }

    /// Whether `number` is among the lowest of all 64 bit numbers, as many of them as the share has: who has a lower number is
    /// taken by every greater share too.
    pub fn is_below(self, number: u64) -> bool {
        u128::from(number) * u128::from(self.denominator) < u128::from(self.numerator) << 64
    }
}

impl fmt::Display for Share {
    /// As a fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::all()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // FMR-04
    #[test]
    fn every_percentage_is_exact_over_a_hundred_requests() {
        for percent in 0..=100 {
            let share = Share::percent(percent).unwrap();
            let taken = (0..100).filter(|random| share.taken(*random)).count();
            assert_eq!(taken, usize::try_from(percent).unwrap());
        }
        assert!((0..1000).all(|random| Share::default().taken(random)));
        assert!(Share::all().taken(u64::MAX));
    }

    // FMR-04, FMR-09
    #[test]
    fn a_share_is_between_none_and_all() {
        for bad in [-1, 101, i32::MIN, i32::MAX] {
            assert_eq!(Share::percent(bad), Err(ShareError::Percent(bad)));
        }
        for (numerator, denominator) in [(1, 0), (0, 0), (-1, 1), (1, -1), (3, 2), (-1, -1)] {
            assert_eq!(
                Share::fraction(numerator, denominator),
                Err(ShareError::Fraction { numerator, denominator })
            );
        }
        assert!(Share::fraction(i32::MAX, i32::MAX).is_ok());
    }

    proptest! {
        // FMR-04
        #[test]
        fn a_fraction_is_exact_over_every_run_of_consecutive_numbers(
            (denominator, numerator) in (1_i32..500).prop_flat_map(|d| (Just(d), 0..=d)),
            start in 0_u64..u64::MAX - 500,
        ) {
            let share = Share::fraction(numerator, denominator).unwrap();
            let run = start..start + u64::from(denominator.unsigned_abs());
            prop_assert_eq!(
                run.filter(|random| share.taken(*random)).count(),
                usize::try_from(numerator).unwrap()
            );
        }
    }
}
