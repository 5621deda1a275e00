//! What an operation is worth when not everything can be done: a column of its row.

/// From what is let go first to what goes last (reliability.md §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A table of all there is, as a file: whoever wants it can come back.
    Export,
    /// What is read about the business: ledgers, statements, the log.
    Analytics,
    /// Looking around, and every other read.
    Search,
    /// Taking a slot, and every other write.
    Hold,
    /// Giving a slot or money back.
    Cancel,
    /// Somebody stands at the gate.
    CheckIn,
    /// Money that has moved or is about to, what a provider tells us, and taking a right away.
    Confirm,
}

/// How many there are.
pub const CLASSES: usize = Class::ALL.len();

impl Class {
    /// What goes first, first.
    pub const ALL: [Self; 7] =
        [Self::Export, Self::Analytics, Self::Search, Self::Hold, Self::Cancel, Self::CheckIn, Self::Confirm];

    /// As the documentation and the figures call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Analytics => "analytics",
            Self::Search => "search",
            Self::Hold => "hold",
            Self::Cancel => "cancel",
            Self::CheckIn => "check_in",
            Self::Confirm => "confirm",
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether it may use the database connections that are kept for what must not wait.
    pub fn is_urgent(self) -> bool {
        self >= Self::CheckIn
    }

    /// Of so many places, the ones this class may be let into: the rest is kept for those above it, as circuits of a trunk
    /// are (trunk reservation). There is always one.
    pub const fn places(self, of: usize) -> usize {
        let percent = match self {
            Self::Export => 50,
            Self::Analytics => 60,
            Self::Search => 75,
            Self::Hold => 85,
            Self::Cancel => 90,
            Self::CheckIn => 95,
            Self::Confirm => 100,
        };
        let places = of * percent / 100;
        if places == 0 { 1 } else { places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_above_has_no_fewer_places_and_the_highest_all() {
        for (number, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), number);
        }
        for places in 0..2_000 {
            let each: Vec<usize> = Class::ALL.iter().map(|class| class.places(places)).collect();
            assert!(each.is_sorted() && each[0] >= 1, "{each:?}");
            assert_eq!(each.last(), Some(&places.max(1)));
        }
        assert!(Class::Search.places(20) + 2 <= Class::CheckIn.places(20), "nothing is kept for the gate");
    }
}
