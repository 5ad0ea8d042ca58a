//! When a pair is polled: every so many minutes, within business hours of a zone, not on holidays.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, Weekday};
use time_tz::{OffsetDateTimeExt, OffsetResult, PrimitiveDateTimeExt, TimeZone, Tz, timezones};

use super::clock::{Pace, Timestamp};
use super::fault::Issue;

/// A polling schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Minutes between two runs, 1 to 1440.
    pub every_minutes: u16,
    #[serde(default)]
    pub business_hours: Option<BusinessHours>,
    /// IANA name.
    #[serde(default = "utc")]
    pub time_zone: String,
    #[serde(default)]
    pub holidays: Vec<Date>,
}

/// Days and hours in which polling happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessHours {
    /// `mon` … `sun`.
    pub days: Vec<String>,
    /// `HH:MM`, inclusive.
    pub from: String,
    /// `HH:MM`, exclusive; `24:00` is the end of the day.
    pub to: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            every_minutes: 15,
            business_hours: None,
            time_zone: utc(),
            holidays: Vec::new(),
        }
    }
}

/// How far ahead the next opening is looked for: a year of holidays is a setting nobody means.
const DAYS_AHEAD_MAX: u16 = 370;

impl Schedule {
    /// Everything wrong with it, each issue at its field.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        let mut issues = Vec::new();
        if !(1..=1440).contains(&self.every_minutes) {
            issues.push(Issue::new(
                "schedule/every_minutes",
                "out_of_range",
                "choose 1 to 1440 minutes",
            ));
        }
        if zone(&self.time_zone).is_none() {
            issues.push(Issue::new(
                "schedule/time_zone",
                "unknown",
                format!(
                    "`{}` is not an IANA time zone such as America/Chicago",
                    self.time_zone
                ),
            ));
        }
        if let Some(hours) = &self.business_hours {
            if hours.days.is_empty() || hours.days.iter().any(|day| weekday(day).is_none()) {
                issues.push(Issue::new(
                    "schedule/business_hours/days",
                    "unknown",
                    "choose at least one of mon, tue, wed, thu, fri, sat, sun",
                ));
            }
            match (minute_of_day(&hours.from), minute_of_day(&hours.to)) {
                (Some(from), Some(to)) if from < to => {}
                (Some(_), Some(_)) => issues.push(Issue::new(
                    "schedule/business_hours/to",
                    "out_of_range",
                    "the end must be later than the beginning of the same day",
                )),
                _ => issues.push(Issue::new(
                    "schedule/business_hours/from",
                    "malformed",
                    "write hours as 07:00 and 19:00",
                )),
            }
        }
        issues
    }

    /// Whether polling may happen at this instant.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let Some(hours) = &self.business_hours else {
            return !self.is_holiday(at);
        };
        let local = self.local(at);
        let minute = u16::from(local.hour()) * 60 + u16::from(local.minute());
        !self.holidays.contains(&local.date())
            && hours
                .days
                .iter()
                .any(|day| weekday(day) == Some(local.weekday()))
            && minute_of_day(&hours.from).is_some_and(|from| from <= minute)
            && minute_of_day(&hours.to).is_some_and(|to| minute < to)
    }

    /// The next instant to poll after `last`: one interval later, or when the doors open next.
    /// None when no day within a year is open.
    #[must_use]
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        self.next_at_pace(last, Pace::default())
    }

    /// The same at a pace that is not real time, never outside of business hours.
    #[must_use]
    pub fn next_at_pace(&self, last: Timestamp, pace: Pace) -> Option<Timestamp> {
        let wait = std::time::Duration::from_secs(u64::from(self.every_minutes.max(1)) * 60);
        let due = last.plus(pace.wait(wait));
        if self.is_open(due) {
            Some(due)
        } else {
            self.next_opening(due)
        }
    }

    /// The next `count` polls after `from`.
    #[must_use]
    pub fn next_fires(&self, from: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(from), |at| self.next_after(*at))
            .take(count)
            .collect()
    }

    /// The calendar day of an instant in the schedule's zone.
    #[must_use]
    pub fn local_date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    fn is_holiday(&self, at: Timestamp) -> bool {
        self.holidays.contains(&self.local(at).date())
    }

    fn local(&self, at: Timestamp) -> OffsetDateTime {
        match zone(&self.time_zone) {
            Some(tz) => at.to_utc().to_timezone(tz),
            None => at.to_utc(),
        }
    }

    fn next_opening(&self, after: Timestamp) -> Option<Timestamp> {
        let tz = zone(&self.time_zone)?;
        let from = self
            .business_hours
            .as_ref()
            .map_or(Some(0), |hours| minute_of_day(&hours.from))?;
        let first_day = self.local(after).date();
        (0..DAYS_AHEAD_MAX)
            .filter_map(|days| first_day.checked_add(Duration::days(i64::from(days))))
            .filter_map(|day| opening(day, from, tz))
            .find(|at| *at >= after && self.is_open(*at))
    }
}

/// The opening minute of a day as an instant. A minute that the change to summer time skips opens
/// at the next minute that exists; one that comes twice opens the first time.
fn opening(day: Date, minute: u16, tz: &Tz) -> Option<Timestamp> {
    let time = Time::from_hms(
        u8::try_from(minute / 60).ok()?,
        u8::try_from(minute % 60).ok()?,
        0,
    )
    .ok()?;
    let mut local = PrimitiveDateTime::new(day, time);
    for _ in 0..=180 {
        match local.assume_timezone(tz) {
            OffsetResult::Some(at) | OffsetResult::Ambiguous(at, _) => {
                return Some(Timestamp::from_utc(at));
            }
            OffsetResult::None => local = local.checked_add(Duration::minutes(1))?,
        }
    }
    None
}

fn zone(name: &str) -> Option<&'static Tz> {
    timezones::get_by_name(name).filter(|tz| tz.name() == name || name == "UTC")
}

fn weekday(day: &str) -> Option<Weekday> {
    Some(match day {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    ((hour < 24 && minute < 60) || (hour == 24 && minute == 0)).then(|| hour * 60 + minute)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn office() -> Schedule {
        Schedule {
            every_minutes: 30,
            business_hours: Some(BusinessHours {
                days: ["mon", "tue", "wed", "thu", "fri"]
                    .map(String::from)
                    .to_vec(),
                from: "07:00".into(),
                to: "19:00".into(),
            }),
            time_zone: "America/Chicago".into(),
            holidays: vec![time::macros::date!(2026 - 12 - 25)],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn polls_stay_within_business_hours() {
        for (last, next) in [
            ("2026-11-24T15:00:00Z", "2026-11-24T15:30:00Z"),
            // 18:45 on Tuesday: the next one would be after closing.
            ("2026-11-25T00:45:00Z", "2026-11-25T13:00:00Z"),
            // Friday evening to Monday morning.
            ("2026-11-28T00:55:00Z", "2026-11-30T13:00:00Z"),
            // Christmas is a Friday.
            ("2026-12-25T00:50:00Z", "2026-12-28T13:00:00Z"),
        ] {
            assert_eq!(office().next_after(at(last)), Some(at(next)), "{last}");
        }
    }

    #[test]
    fn daylight_saving_moves_the_opening_by_an_hour_and_skips_nothing() {
        let every_day = Schedule {
            business_hours: Some(BusinessHours {
                days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
                    .map(String::from)
                    .to_vec(),
                from: "02:30".into(),
                to: "03:30".into(),
            }),
            ..office()
        };
        // 2027-03-14: 02:30 does not exist in Chicago, the doors open at 03:00 local, 08:00 UTC.
        assert_eq!(
            every_day.next_after(at("2027-03-14T04:00:00Z")),
            Some(at("2027-03-14T08:00:00Z"))
        );
        // 2026-11-01 ends summer time: 02:30 is 08:30 UTC.
        assert_eq!(
            every_day.next_after(at("2026-11-01T05:00:00Z")),
            Some(at("2026-11-01T08:30:00Z"))
        );
    }

    #[test]
    fn bad_schedules_name_their_fields() {
        let bad = Schedule {
            every_minutes: 0,
            time_zone: "Mars/Olympus".into(),
            business_hours: Some(BusinessHours {
                days: vec!["noon".into()],
                from: "19:00".into(),
                to: "7".into(),
            }),
            holidays: vec![],
        };
        let fields: Vec<String> = bad.issues().into_iter().map(|issue| issue.field).collect();
        assert_eq!(
            fields,
            [
                "schedule/every_minutes",
                "schedule/time_zone",
                "schedule/business_hours/days",
                "schedule/business_hours/from"
            ]
        );
        assert!(office().issues().is_empty());
    }
}
