//! The rules on the real files.

use xtask::{Tree, docs, mutants, ship, tidy};

#[test]
fn the_repository_is_tidy() {
    let findings = tidy::check(&Tree::of_this_repository().unwrap());
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "\n{}\n", shown.join("\n"));
}

#[test]
fn every_relative_link_of_every_page_resolves() {
    let tree = Tree::of_this_repository().unwrap();
    assert!(tree.files().iter().filter(|file| file.extension() == "md").count() > 10);
    let findings = tidy::check(&tree);
    let broken: Vec<_> = findings.iter().filter(|finding| finding.rule == "links").collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn generated_pages_are_current() {
    for page in docs::pages() {
        assert!(page.is_current().unwrap(), "{} is not current; run `make docs`", page.path);
    }
}

#[test]
fn what_ships_fits_together() {
    let report = ship::check_files().unwrap();
    assert!(report.is_clean(), "\n{}\n", report.lines().join("\n"));
}

#[test]
fn every_mutant_still_applies() {
    let mutants = mutants::mutants().unwrap();
    assert!(mutants.len() >= 20);
    for mutant in &mutants {
        mutants::applies(mutant).unwrap();
    }
}

#[test]
fn the_simulator_page_has_a_seed_for_every_mutant() {
    let named = mutants::current_names().unwrap();
    let mutants = mutants::mutants().unwrap();
    let expected: Vec<String> = mutants.into_iter().map(|mutant| mutant.name).collect();
    assert_eq!(named, expected, "run `make mutants`");
}
