//! R21: three replicas, twenty clients that want the same names and the same group, replicas killed at random. There is never
//! a second account of a name, an id has one account, and no member that was added is lost.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::application::Application;
use crate::postgres::Server;
use crate::process::{Place, Replica, Reply, TOKEN, send};

const REPLICAS: usize = 3;
const CLIENTS: u64 = 20;
const NAMES: u64 = 6;
const TIME: Duration = Duration::from_secs(25);
/// Another one gives another history: `SCIMGATE_SEED=7 cargo test --test replicas r21`.
const SEED: u64 = 0x5C13;

struct World {
    place: Place,
    bases: Mutex<Vec<String>>,
    is_over: AtomicBool,
    answers: [AtomicU64; 6],
}

/// Numbers that are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

impl World {
    /// One request to a replica by chance; absent without an answer.
    async fn ask(
        &self,
        dice: &mut Dice,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Reply> {
        let at = usize::try_from(dice.roll(REPLICAS as u64)).unwrap();
        let base = self.bases.lock().unwrap()[at].clone();
        let reply = send(
            &base,
            self.place.ca(),
            TOKEN,
            method,
            &format!("/scim/v2{path}"),
            body,
        )
        .await;
        let class = reply
            .as_ref()
            .map_or(0, |reply| usize::from(reply.status / 100));
        self.answers[class.min(5)].fetch_add(1, Ordering::Relaxed);
        reply
    }

    /// As [`Self::ask`], again until it is answered with something else than "later".
    async fn insist(
        &self,
        dice: &mut Dice,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Reply {
        loop {
            match self.ask(dice, method, path, body).await {
                Some(reply) if reply.status < 500 && reply.status != 429 => return reply,
                _ => tokio::time::sleep(Duration::from_millis(20 + dice.roll(100))).await,
            }
        }
    }
}

fn user(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "title": "new", "nickName": name })
}

fn patch(operation: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
}

/// One client: its operations on names that all want, and additions of its own members to the group that all share.
async fn client(world: Arc<World>, seed: u64, number: u64, group: String) -> Vec<String> {
    let mut dice = Dice(seed ^ (number << 32));
    let mut added = Vec::new();
    for round in 0_u64.. {
        if world.is_over.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("name{}", dice.roll(NAMES));
        let filter = format!("/Users?filter=userName%20eq%20%22{name}%22");
        match dice.roll(10) {
            0..5 => {
                world
                    .ask(&mut dice, "POST", "/Users", Some(&user(&name)))
                    .await;
            }
            5..8 => {
                let found = world.ask(&mut dice, "GET", &filter, None).await;
                let Some(id) = found
                    .as_ref()
                    .and_then(|reply| reply.body["Resources"][0]["id"].as_str())
                else {
                    continue;
                };
                let path = format!("/Users/{id}");
                if dice.roll(2) == 0 {
                    world.ask(&mut dice, "DELETE", &path, None).await;
                } else {
                    let change = patch(
                        json!({ "op": "replace", "path": "title", "value": round.to_string() }),
                    );
                    world.ask(&mut dice, "PATCH", &path, Some(&change)).await;
                }
            }
            _ => {
                let member = user(&format!("member{number}x{round}"));
                let made = world
                    .insist(&mut dice, "POST", "/Users", Some(&member))
                    .await;
                // 409: the answer had left the replica when it was killed.
                assert!(matches!(made.status, 201 | 409), "{made:?}");
                let name = member["userName"].as_str().unwrap();
                let filter = format!("/Users?filter=userName%20eq%20%22{name}%22");
                let found = world.insist(&mut dice, "GET", &filter, None).await;
                let id = found.body["Resources"][0]["id"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                assert!(
                    made.status == 409 || made.body["id"] == id.as_str(),
                    "{made:?} {found:?}"
                );
                let add =
                    patch(json!({ "op": "add", "path": "members", "value": [{ "value": id }] }));
                let reply = world
                    .insist(&mut dice, "PATCH", &format!("/Groups/{group}"), Some(&add))
                    .await;
                assert!(matches!(reply.status, 200 | 204), "{reply:?}");
                added.push(id);
            }
        }
    }
    added
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_jepsen_like() {
    let Some(server) = Server::start() else {
        return;
    };
    let application = Application::start().await;
    let url = server.database().await;
    let place = Place::new(&Place::postgres(&url), &application);
    let mut replicas: Vec<Replica> = (0..REPLICAS).map(|number| place.replica(number)).collect();
    let world = Arc::new(World {
        bases: Mutex::new(
            replicas
                .iter()
                .map(|replica| replica.base.clone())
                .collect(),
        ),
        place,
        is_over: AtomicBool::default(),
        answers: Default::default(),
    });
    let seed = std::env::var("SCIMGATE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(SEED);
    let mut dice = Dice(seed);
    let group =
        json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "all" });
    let group = world
        .insist(&mut dice, "POST", "/Groups", Some(&group))
        .await;
    let group = group.body["id"].as_str().unwrap().to_owned();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(client(Arc::clone(&world), seed, number, group.clone())))
        .collect();

    let begun = Instant::now();
    let (mut kills, mut is_crashed) = (0, false);
    while begun.elapsed() < TIME {
        tokio::time::sleep(Duration::from_millis(300 + dice.roll(1200))).await;
        // Once in the middle PostgreSQL goes too.
        if !is_crashed && begun.elapsed() > TIME / 2 {
            server.crash();
            tokio::time::sleep(Duration::from_millis(700)).await;
            server.restart();
            is_crashed = true;
        }
        let at = usize::try_from(dice.roll(REPLICAS as u64)).unwrap();
        replicas[at].kill();
        kills += 1;
        tokio::time::sleep(Duration::from_millis(dice.roll(300))).await;
        replicas[at] = world.place.replica(at);
        world.bases.lock().unwrap()[at] = replicas[at].base.clone();
    }
    world.is_over.store(true, Ordering::Relaxed);
    let mut added = Vec::new();
    for client in clients {
        added.extend(client.await.unwrap());
    }
    let counts: Vec<u64> = world
        .answers
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .collect();
    eprintln!(
        "{kills} kills; answers none, 1xx … 5xx: {counts:?}; {} members added",
        added.len()
    );
    assert_eq!(
        application.twice(),
        Vec::<String>::new(),
        "names with two accounts"
    );
    assert!(
        counts[2] > 100 && counts[0] + counts[5] > 0 && added.len() > 10,
        "the test tests something"
    );

    let mut ids = HashMap::new();
    for (target_id, name) in application.users() {
        let filter = format!("/scim/v2/Users?filter=userName%20eq%20%22{name}%22");
        let mut seen = HashSet::new();
        for replica in &replicas {
            let found = send(&replica.base, world.place.ca(), TOKEN, "GET", &filter, None)
                .await
                .unwrap();
            for resource in found.body["Resources"].as_array().into_iter().flatten() {
                seen.insert(resource["id"].as_str().unwrap().to_owned());
            }
        }
        assert!(seen.len() <= 1, "{name} has the ids {seen:?}");
        for id in seen {
            assert_eq!(
                ids.insert(id.clone(), target_id),
                None,
                "{id} has two accounts"
            );
        }
    }
    let members = application.members();
    for id in added {
        let target_id = ids
            .get(&id)
            .unwrap_or_else(|| panic!("{id} has no account"));
        assert!(members.contains(target_id), "the member {id} is lost");
    }
}
