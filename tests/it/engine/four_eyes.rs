//! Four eyes: whoever led to a write does not let it through.

use ml_connector::desk::record::{Act, act, act_on_all};
use ml_connector::desk::{DeskError, four_eyes};
use ml_connector::domain::ids::{MemberId, TokenId};
use ml_connector::domain::mapping::MappingKind;
use ml_connector::domain::member::{Actor, Caller, Role};
use ml_connector::domain::record::State;
use ml_connector::domain::token::ApiToken;
use ml_connector::store;
use ml_connector::store::member::NewMember;
use ml_connector::store::search::Filter;

use super::sites::order;
use super::world::{HOUR, World, facts};
use crate::support::database::{TestDatabase, both};

both!(four_eyes_are_two_peoples);

fn approve() -> Act {
    Act::Approve { digest: None }
}

/// Somebody of the world's tenant.
fn person(world: &World, name: &str) -> Caller {
    let member_id = MemberId::generate();
    let actor = Actor {
        kind: "member".into(),
        id: member_id.to_string(),
        name: name.into(),
        origin: None,
    };
    Caller {
        member_id,
        actor,
        ..world.caller.clone()
    }
}

/// The same person, by a token of theirs.
async fn by_token(world: &World, caller: &Caller) -> Caller {
    let token = ApiToken {
        id: TokenId::generate(),
        member_id: caller.member_id,
        name: "robot".into(),
        scopes: caller.scopes.clone(),
        created_at: world.now(),
        expires_at: world.now().plus(HOUR),
        last_used_at: None,
        revoked_at: None,
    };
    let actor = Actor {
        kind: "token".into(),
        id: token.id.to_string(),
        name: "robot".into(),
        origin: None,
    };
    let member = NewMember {
        id: caller.member_id,
        email: format!("{}@acme.example", caller.member_id),
        name: caller.actor.name.clone(),
        role: Role::Owner,
        password_hash: "$argon2id$".into(),
    };
    world
        .write(move |scope| {
            Box::pin(async move {
                store::member::add(scope, &member).await?;
                store::api_token::add(scope, &token, &[7; 32]).await
            })
        })
        .await;
    Caller {
        actor,
        ..caller.clone()
    }
}

async fn map_as(world: &World, caller: &Caller) {
    let pair = world.pair;
    let rows = vec![super::world::cost_code("03-300")];
    world
        .store()
        .write(world.tenant(), &caller.actor, move |scope| {
            Box::pin(async move {
                store::mapping::replace(scope, pair, MappingKind::CostCodes, &rows).await
            })
        })
        .await
        .unwrap();
}

async fn four_eyes_are_two_peoples(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.asks_for_approval().await;
    world.sites.put_order(order("10"));
    world.sync().await;
    let (ann, bob) = (person(&world, "Ann"), person(&world, "Bob"));
    let work = world.order("10").await;
    let id = work.record.id;
    let refused = |done: Result<_, DeskError>| match done {
        Err(DeskError::NotNow {
            code: "four_eyes",
            message,
        }) => message,
        other => panic!("{other:?}"),
    };
    map_as(&world, &ann).await;
    assert_eq!(
        four_eyes::bar(&world.desk, &ann, id).await.unwrap(),
        None,
        "nobody asked for four eyes"
    );
    world
        .settings(|settings| {
            let rules = &mut settings.policies.rules;
            rules.insert("four_eyes".into(), "true".into());
        })
        .await;
    let robot = by_token(&world, &ann).await;
    for caller in [&ann, &robot] {
        let says = refused(act(&world.desk, caller, id, approve()).await);
        assert!(
            says.contains("you changed the mapping of cost codes, so somebody else"),
            "{says}"
        );
        let all = act_on_all(&world.desk, caller, Filter::default(), approve()).await;
        assert_eq!(all.unwrap(), 0);
    }
    assert_eq!(world.order("10").await.record.state, State::Held);
    let told = world.told("record.approval_refused").await;
    assert_eq!(told.len(), 2);
    assert_eq!(facts(&told[0])["reason"], "four_eyes");
    // Who asked for it once more is one of those who led to it, until somebody else does.
    act(&world.desk, &bob, id, Act::Retry).await.unwrap();
    world.work().await;
    let says = refused(act(&world.desk, &bob, id, approve()).await);
    assert!(
        says.contains("you asked for it to be worked again"),
        "{says}"
    );
    let cleo = person(&world, "Cleo");
    // Whoever may not approve may reject.
    map_as(&world, &bob).await;
    act(&world.desk, &ann, id, approve()).await.unwrap();
    world.work().await;
    assert_eq!(world.order("10").await.record.state, State::Succeeded);
    world.sites.put_order(order("11"));
    map_as(&world, &cleo).await;
    world.sync().await;
    let other = world.order("11").await.record.id;
    refused(act(&world.desk, &cleo, other, approve()).await);
    let reason = "not mine".to_owned();
    act(&world.desk, &cleo, other, Act::Reject { reason })
        .await
        .unwrap();
    world.check().await;
}
