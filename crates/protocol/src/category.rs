//! Where a thing belongs: a small taxonomy of three levels, with stable numbers.
//!
//! A category is a number of six decimal digits `LLMMSS`: main group, group, kind. `LL0000` and `LLMM00` are the
//! inner nodes. So whether one category lies inside another can be told without a table, and a category that a
//! newer version knows still sorts under its known parent.

/// A node of the taxonomy, as six decimal digits; 0 is "anything".
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Category(pub u32);

/// How close two categories are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kinship {
    /// Nothing in common.
    None,
    /// Children of one group.
    Sibling,
    /// The offer is wider than the wish.
    Wider,
    /// The same node, or the offer is a special case of the wish.
    Same,
}

impl Category {
    /// The largest number there is room for.
    pub const MAX: u32 = 999_999;

    /// The node above, if there is one.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self.0 {
            0 => None,
            code if code % 10_000 == 0 => Some(Self(0)),
            code if code % 100 == 0 => Some(Self(code - code % 10_000)),
            code => Some(Self(code - code % 100)),
        }
    }

    /// Whether `self` is `other` or lies inside it.
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        let mut node = Some(self);
        while let Some(at) = node {
            if at == other {
                return true;
            }
            node = at.parent();
        }
        false
    }

    /// How close an offer of category `self` is to a wish for `wanted`.
    #[must_use]
    pub fn kinship(self, wanted: Self) -> Kinship {
        if self.within(wanted) {
            Kinship::Same
        } else if wanted.within(self) && self.0 != 0 {
            Kinship::Wider
        } else if self.parent() == wanted.parent() && self.parent() != Some(Self(0)) {
            Kinship::Sibling
        } else {
            Kinship::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_case_fits_a_wider_wish_and_not_the_other_way_round() {
        let (goods, computers, laptops, desktops) = (
            Category(100_000),
            Category(100_200),
            Category(100_201),
            Category(100_202),
        );
        assert_eq!(laptops.kinship(computers), Kinship::Same);
        assert_eq!(laptops.kinship(Category(0)), Kinship::Same);
        assert_eq!(computers.kinship(laptops), Kinship::Wider);
        assert_eq!(laptops.kinship(desktops), Kinship::Sibling);
        assert_eq!(Category(200_000).kinship(goods), Kinship::None);
        assert_eq!(Category(200_101).kinship(laptops), Kinship::None);
    }
}
