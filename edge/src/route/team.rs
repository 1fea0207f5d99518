//! The routes below a site, which take a key: one line for each method and path. What may not be
//! forgotten for any of them, a test asks of each line.

use asklet_shared::problem::Problem;

use super::{Route, Verb, choose, not_found};

/// The ids that stand in a path, from the site on.
pub struct Ids(std::vec::IntoIter<String>);

impl Ids {
    /// The next one. The table's paths have as many as are asked for, as a test makes sure.
    fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}

/// What a method and the ids of a path mean.
type Make = fn(&mut Ids) -> Route;

/// Every route of a site: the method, the path below the site, and what it means. `{…}` stands for an id.
pub const TEAM_ROUTES: &[(&str, &str, Make)] = &[
    ("GET", "", |ids| Route::Site { site: ids.next(), verb: Verb::Read }),
    ("PUT", "", |ids| Route::Site { site: ids.next(), verb: Verb::Update }),
    ("PATCH", "", |ids| Route::Site { site: ids.next(), verb: Verb::Patch }),
    ("DELETE", "", |ids| Route::Site { site: ids.next(), verb: Verb::Delete }),
    ("GET", "/keys", |ids| Route::Keys { site: ids.next(), verb: Verb::Read }),
    ("POST", "/keys", |ids| Route::Keys { site: ids.next(), verb: Verb::Create }),
    ("DELETE", "/keys/{id}", |ids| Route::Key { site: ids.next(), id: ids.next() }),
    ("GET", "/installs", |ids| Route::Installs { site: ids.next() }),
    ("GET", "/audit", |ids| Route::Audit { site: ids.next() }),
    ("POST", "/identity-secrets", |ids| Route::IdentitySecret { site: ids.next(), id: None }),
    ("DELETE", "/identity-secrets/{id}", |ids| Route::IdentitySecret {
        site: ids.next(),
        id: Some(ids.next()),
    }),
    ("POST", "/respondents/erase", |ids| Route::EraseRespondent { site: ids.next() }),
    ("POST", "/respondents/lookup", |ids| Route::LookUpRespondent { site: ids.next() }),
    ("GET", "/summary", |ids| Route::SiteSummary { site: ids.next() }),
    ("GET", "/surveys", |ids| Route::Surveys { site: ids.next(), verb: Verb::Read }),
    ("POST", "/surveys", |ids| Route::Surveys { site: ids.next(), verb: Verb::Create }),
    ("GET", "/surveys/{survey}", |ids| survey(ids, Verb::Read)),
    ("PUT", "/surveys/{survey}", |ids| survey(ids, Verb::Update)),
    ("PATCH", "/surveys/{survey}", |ids| survey(ids, Verb::Patch)),
    ("DELETE", "/surveys/{survey}", |ids| survey(ids, Verb::Delete)),
    ("POST", "/surveys/{survey}/duplicate", |ids| survey(ids, Verb::Duplicate)),
    ("POST", "/surveys/{survey}/publish", |ids| survey(ids, Verb::Publish)),
    ("POST", "/surveys/{survey}/pause", |ids| survey(ids, Verb::Pause)),
    ("POST", "/surveys/{survey}/resume", |ids| survey(ids, Verb::Resume)),
    ("POST", "/surveys/{survey}/archive", |ids| survey(ids, Verb::Archive)),
    ("POST", "/surveys/{survey}/refuse", |ids| survey(ids, Verb::Refuse)),
    ("POST", "/surveys/{survey}/accept", |ids| survey(ids, Verb::Accept)),
    ("POST", "/surveys/{survey}/shards", |ids| survey(ids, Verb::Shard)),
    ("GET", "/surveys/{survey}/summary", |ids| Route::Summary {
        site: ids.next(),
        survey: ids.next(),
    }),
    ("POST", "/surveys/{survey}/preview", |ids| Route::MakePreview {
        site: ids.next(),
        survey: ids.next(),
    }),
    ("DELETE", "/surveys/{survey}/preview", |ids| Route::RevokePreviews {
        site: ids.next(),
        survey: ids.next(),
    }),
    ("GET", "/surveys/{survey}/usage", |ids| Route::Usage { site: ids.next(), survey: ids.next() }),
    ("POST", "/surveys/{survey}/import", |ids| Route::Import {
        site: ids.next(),
        survey: ids.next(),
    }),
    ("GET", "/surveys/{survey}/responses", |ids| responses(ids, false)),
    ("POST", "/surveys/{survey}/responses/query", |ids| responses(ids, true)),
    ("GET", "/surveys/{survey}/export", |ids| Route::Export {
        site: ids.next(),
        survey: ids.next(),
    }),
    ("POST", "/surveys/{survey}/corrections", |ids| Route::Correct {
        site: ids.next(),
        survey: ids.next(),
    }),
    ("DELETE", "/surveys/{survey}/displays/{display}", |ids| Route::DeleteDisplay {
        site: ids.next(),
        survey: ids.next(),
        display: ids.next(),
    }),
    ("POST", "/surveys/{survey}/displays/{display}/exclude", |ids| exclude(ids, true)),
    ("POST", "/surveys/{survey}/displays/{display}/include", |ids| exclude(ids, false)),
];

fn survey(ids: &mut Ids, verb: Verb) -> Route {
    Route::Survey { site: ids.next(), survey: ids.next(), verb }
}

fn responses(ids: &mut Ids, is_query: bool) -> Route {
    Route::Responses { site: ids.next(), survey: ids.next(), is_query }
}

fn exclude(ids: &mut Ids, excluded: bool) -> Route {
    Route::Exclude { site: ids.next(), survey: ids.next(), display: ids.next(), excluded }
}

/// Finds the route of a request below a site.
pub fn route(method: &str, site: &str, below: &[&str]) -> Result<Route, Problem> {
    let routes: Vec<_> = TEAM_ROUTES.iter().filter(|(_, path, _)| fits(path, below)).collect();
    let Some((_, path, _)) = routes.first() else { return Err(not_found()) };
    let methods = routes.iter().map(|(method, _, make)| (*method, make));
    let make = choose(method, methods)?;
    let named = steps(path).zip(below).filter(|(step, _)| is_id(step)).map(|(_, id)| *id);
    let ids: Vec<String> = [site].into_iter().chain(named).map(str::to_owned).collect();
    Ok(make(&mut Ids(ids.into_iter())))
}

fn fits(path: &str, below: &[&str]) -> bool {
    steps(path).count() == below.len()
        && steps(path).zip(below).all(|(step, found)| is_id(step) || step == *found)
}

fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1)
}

fn is_id(step: &str) -> bool {
    step.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::super::Access;
    use super::*;

    #[test]
    fn every_line_is_found_by_its_path_and_needs_a_key() {
        for (method, path, _) in TEAM_ROUTES {
            let below: Vec<&str> = steps(path).collect();
            let found = route(method, "any-1", &below).unwrap();
            let Access::Team { site, .. } = found.access() else { panic!("{method} {path}") };
            assert_eq!(site, "any-1");
            // Each id of the path is where it belongs, and none was asked for that is not there.
            let told = format!("{found:?}");
            for id in below.iter().filter(|step| is_id(step)) {
                assert!(told.contains(id), "{told}");
            }
            assert!(!told.contains("\"\""), "{told}");
        }
    }

    #[test]
    fn no_two_lines_are_alike() {
        for (at, (method, path, _)) in TEAM_ROUTES.iter().enumerate() {
            let below: Vec<&str> = steps(path).collect();
            let found = TEAM_ROUTES
                .iter()
                .position(|(other, template, _)| other == method && fits(template, &below));
            assert_eq!(found, Some(at), "{method} {path}");
        }
    }
}
