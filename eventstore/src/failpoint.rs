//! Steps where a process can die between two effects. `kalel trial --points` has a process die at each of them; without
//! the feature `failpoints` they are nothing.

/// The environment variable that says where to die.
pub const VARIABLE: &str = "FAILPOINTS";

/// Whether this build can die at them.
pub const ARE_BUILT_IN: bool = cfg!(feature = "failpoints");

/// Names such a step: `<who>.<when>`. Here the process ends, as by `kill -9`, when `FAILPOINTS` says so
/// (`lane.before_commit=3*off->return`: at the fourth time).
#[cfg(feature = "failpoints")]
pub fn failpoint(name: &'static str) {
    fail::fail_point!(name, |_| std::process::abort());
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn failpoint(_name: &'static str) {}

/// Reads `FAILPOINTS` from the environment, for the rest of the process's life.
#[cfg(feature = "failpoints")]
pub fn arm() {
    std::mem::forget(fail::FailScenario::setup());
}

/// Nothing to arm.
#[cfg(not(feature = "failpoints"))]
pub const fn arm() {}
