//! Values of traits: a limited number of values of each trait is distinguished, first come, first served. All
//! later values count as `other`.
//!
//! Values that the site's server vouches for and values that anybody can invent in a browser are counted
//! separately, so that nobody can use up the room of the true values.

use asklet_protocol::failure::Failure;
use asklet_shared::dimension::{OTHER, TRAIT_VALUES_LIMIT};

use crate::shard::stored::Stored;
use crate::sql::Sql;

/// A value that is distinguished once it is stored.
pub struct New {
    key: String,
    value: String,
    verified: bool,
}

/// Replaces the values of a display's traits by the values under which they count. Returns the new values to
/// store with the display. `earlier` is the stored revision.
pub fn count(
    sql: &impl Sql,
    display: &mut Stored,
    earlier: Option<&Stored>,
) -> Result<Vec<New>, Failure> {
    let mut new = Vec::new();
    let Some(personal) = &mut display.personal else { return Ok(new) };
    let verified = personal.verified;
    // A repeated revision must stay the same display, even if there is room for its value by now.
    let same = earlier.filter(|earlier| earlier.revision == display.revision);
    let same = same.and_then(|earlier| earlier.personal.as_ref());
    for (key, value) in &mut personal.traits {
        if same.is_some_and(|same| same.traits.get(key).is_some_and(|counted| counted == OTHER)) {
            OTHER.clone_into(value);
            continue;
        }
        let known = "SELECT verified FROM trait_value WHERE trait = ? AND value = ?";
        let known = sql.first(known, &[key.as_str().into(), value.as_str().into()])?;
        let known = known.map(|mut row| row.boolean()).transpose()?;
        if known.is_some_and(|vouched_for| vouched_for || !verified) {
            continue;
        }
        let values = "SELECT count(*) FROM trait_value WHERE trait = ? AND verified = ?";
        let values = sql.first(values, &[key.as_str().into(), verified.into()])?;
        let values: usize = values.map_or(Ok(0), |mut row| row.integer())?;
        if values < TRAIT_VALUES_LIMIT {
            new.push(New { key: key.clone(), value: value.clone(), verified });
        } else if known.is_none() {
            OTHER.clone_into(value);
        }
    }
    Ok(new)
}

/// Stores values together with the display that has them.
pub fn keep(sql: &impl Sql, values: &[New]) -> Result<(), Failure> {
    for New { key, value, verified } in values {
        sql.run(
            "REPLACE INTO trait_value (trait, value, verified) VALUES (?, ?, ?)",
            &[key.as_str().into(), value.as_str().into(), (*verified).into()],
        )?;
    }
    Ok(())
}
