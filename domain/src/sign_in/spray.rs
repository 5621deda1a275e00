//! Somebody tries codes over many telephones: each of them sees a guess or two, all together see the attack.

/// What became of the codes of one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    pub right: u32,
    pub wrong: u32,
}

/// What is asked of whoever wants a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Calm,
    /// Work before a code is sent, longer waits, and somebody is told.
    Alarmed,
}

/// Fewer answers than these in an hour say nothing.
const ENOUGH: u64 = 20;
/// So many of them wrong, in percent, whatever was usual.
const TOO_MANY: u64 = 20;
/// So many times what was usual, and what is usual at the least, in percent: people mistype.
const TIMES: u64 = 3;
const USUAL: u64 = 1;

impl Hour {
    fn answers(self) -> u64 {
        u64::from(self.right) + u64::from(self.wrong)
    }

    /// Whether wrong answers are too many beside those of the week before (reliability.md §4.1, Spray).
    fn alarms(self, week: Self) -> bool {
        let (wrong, answers) = (u64::from(self.wrong), self.answers());
        if answers < ENOUGH {
            return false;
        }
        let many = wrong * 100 > TOO_MANY * answers;
        // wrong / answers > 3 × the week's part, or 3 × 1 %, in whole numbers.
        let beyond = |usual: u64, of: u64| wrong * of > TIMES * usual * answers;
        many || (beyond(u64::from(week.wrong), week.answers().max(1)) && beyond(USUAL, 100))
    }
}

/// How things are in the hour that runs, from the hours before it, the latest first. It takes a whole calm hour to calm down.
pub fn mood(running: Hour, before: &[Hour]) -> Mood {
    let week = |hours: &[Hour]| {
        let sum = |of: fn(&Hour) -> u32| hours.iter().take(7 * 24).map(of).fold(0, u32::saturating_add);
        Hour { right: sum(|hour| hour.right), wrong: sum(|hour| hour.wrong) }
    };
    let last = before.first().copied().unwrap_or_default();
    let rest = before.get(1..).unwrap_or_default();
    // An attack is not what is usual: of the hour before it counts only what came before that.
    if running.alarms(week(rest)) || last.alarms(week(rest)) { Mood::Alarmed } else { Mood::Calm }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn hour(right: u32, wrong: u32) -> Hour {
        Hour { right, wrong }
    }

    #[test]
    fn a_fifth_of_all_answers_wrong_or_three_times_the_usual_is_an_alarm() {
        let usual = [hour(970, 30); 168];
        assert_eq!(mood(hour(97, 3), &usual), Mood::Calm);
        assert_eq!(mood(hour(91, 9), &usual), Mood::Calm, "three times, and not more");
        assert_eq!(mood(hour(90, 10), &usual), Mood::Alarmed);
        let often = [hour(800, 200); 168];
        assert_eq!(mood(hour(80, 20), &often), Mood::Calm);
        assert_eq!(mood(hour(79, 21), &often), Mood::Alarmed, "whatever is usual");
    }

    #[test]
    fn a_handful_of_answers_and_a_mistyped_code_are_none() {
        assert_eq!(mood(hour(0, 19), &[]), Mood::Calm);
        assert_eq!(mood(hour(97, 3), &[]), Mood::Calm, "nothing was usual yet");
        assert_eq!(mood(hour(96, 4), &[]), Mood::Alarmed);
        assert_eq!(mood(Hour { right: u32::MAX, wrong: u32::MAX }, &[hour(u32::MAX, u32::MAX); 200]), Mood::Alarmed);
    }

    #[test]
    fn it_takes_a_calm_hour_to_calm_down_and_an_attack_is_not_what_is_usual() {
        let mut before = vec![hour(0, 500)];
        before.extend([hour(970, 30); 167]);
        assert_eq!(mood(hour(100, 0), &before), Mood::Alarmed);
        before.insert(0, hour(100, 0));
        assert_eq!(mood(hour(100, 0), &before), Mood::Calm);
    }
}
