//! Statements of one text: what goes in comes out, whatever it is and however much.

use oms_messaging::{
    sql::{insert, one_of},
    tables::outbox::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};

use super::database::everywhere;

/// Texts that mean something to a parser of arrays, of JSON or of SQL.
const NASTY: [&str; 10] =
    ["", "NULL", "{}", "a,b", "\"quoted\"", "back\\slash", "'; --", "ünïcødé ☃", "$1 ?", " \t\n "];

fn row(n: usize) -> ActiveModel {
    let text = NASTY[n % NASTY.len()];
    ActiveModel {
        seq: NotSet,
        id: Set(format!("{n}-{text}")),
        topic: Set(text.to_owned()),
        stream: Set((!n.is_multiple_of(3)).then(|| text.to_owned())),
        event_type: Set("t".to_owned()),
        payload: Set((0..=255).cycle().skip(n).take(n % 300).collect()),
        headers: Set(None),
        traceparent: Set((!n.is_multiple_of(2)).then(|| text.to_owned())),
        created_at: Set(if n.is_multiple_of(2) { i64::MAX } else { i64::MIN }),
        published_at: Set(None),
        generation: Set(0),
        ask: Set(n.is_multiple_of(2)),
        ask_generation: Set(0),
        refused_until: Set(None),
        refused_reason: Set(None),
    }
}

async fn stored(database: &DatabaseConnection) -> Vec<Model> {
    Entity::find().order_by_asc(Column::Seq).all(database).await.unwrap()
}

#[tokio::test]
async fn rows_come_out_as_they_went_in_and_in_their_order() {
    everywhere(1, async |databases| {
        let database = &databases[0];
        assert_eq!(insert(database, Vec::<ActiveModel>::new(), None).await.unwrap(), 0);
        // More than one statement's worth on SQLite.
        let count = 3_000;
        assert_eq!(insert(database, (0..count).map(row).collect(), None).await.unwrap(), 3_000);
        let stored = stored(database).await;
        assert_eq!(stored.len(), count);
        for (n, found) in stored.into_iter().enumerate() {
            let mut expected = row(n);
            expected.seq = Set(found.seq);
            let expected = Model::try_from(expected).unwrap();
            assert_eq!(found, expected, "row {n}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_there_already_is_kept_or_replaced_as_asked() {
    everywhere(1, async |databases| {
        let database = &databases[0];
        let changed = |n: usize| ActiveModel { topic: Set("changed".to_owned()), ..row(n) };
        insert(database, vec![row(0), row(1)], None).await.unwrap();
        let again = || (0..3).map(changed).collect();
        let keep = OnConflict::column(Column::Id).do_nothing().to_owned();
        assert_eq!(insert(database, again(), Some(keep)).await.unwrap(), 1);
        let topics: Vec<String> = stored(database).await.into_iter().map(|r| r.topic).collect();
        assert_eq!(topics, [NASTY[0], NASTY[1], "changed"]);
        let replace = OnConflict::column(Column::Id).update_column(Column::Topic).to_owned();
        assert_eq!(insert(database, again(), Some(replace)).await.unwrap(), 3);
        assert!(stored(database).await.iter().all(|r| r.topic == "changed"));
    })
    .await;
}

#[tokio::test]
async fn a_condition_on_a_list_finds_exactly_what_it_names() {
    everywhere(1, async |databases| {
        let database = &databases[0];
        insert(database, (0..NASTY.len()).map(row).collect(), None).await.unwrap();
        let backend = database.get_database_backend();
        let found = async |topics: &[&str]| {
            let wanted = one_of(backend, Column::Topic, topics);
            let select = Entity::find().filter(wanted).order_by_asc(Column::Seq);
            let rows = select.all(database).await.unwrap();
            rows.into_iter().map(|row| row.topic).collect::<Vec<_>>()
        };
        assert_eq!(found(&NASTY).await, NASTY);
        assert_eq!(found(&["a", "", "no such"]).await, [""]);
        assert!(found(&[]).await.is_empty());
    })
    .await;
}
