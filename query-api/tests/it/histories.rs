//! Tickets that live at random, and what a test remembers of them to reckon by itself.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::actor::{Actor, ActorKind};
use domain::catalogue::Catalogue;
use domain::ids::{GroupId, TicketNumber, UserId};
use domain::testing::{AGENT, COLLEAGUE, agent, body, create, customer};
use domain::ticket::{
    Accept, AddComment, Assign, Change, Classify, Close, Command, ProposeClosure, Rate, Reopen, RequestInfo, Visibility,
};
use jiff::{SignedDuration, ToSpan as _};
use uuid::Uuid;

use crate::desk::{Desk, ticket};

/// The same numbers for the same seed (`SplitMix64`).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn seconds(&mut self, end: u64) -> SignedDuration {
        SignedDuration::from_secs(self.below(end).cast_signed())
    }

    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these, if there are any.
    pub(crate) fn pick<'c, T>(&mut self, choices: &'c [T]) -> Option<&'c T> {
        let end = u64::try_from(choices.len()).unwrap();
        (end > 0).then(|| &choices[usize::try_from(self.below(end)).unwrap()])
    }

    /// One of these, or nothing.
    pub(crate) fn maybe<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        if self.once_in(4) {
            None
        } else {
            self.pick(choices).copied()
        }
    }

    /// Some of these, all of them, or none.
    pub(crate) fn some<T: Clone + Ord>(&mut self, choices: &[T]) -> BTreeSet<T> {
        choices.iter().filter(|_| self.once_in(2)).cloned().collect()
    }
}

/// Another customer, of no organisation.
pub(crate) fn neighbour() -> Actor {
    Actor::plain(UserId::from(Uuid::from_u128(77)), ActorKind::Customer)
}

/// What became of a ticket.
#[derive(Debug)]
pub(crate) struct Lived {
    pub(crate) requester: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) first_response_at: Option<Timestamp>,
    pub(crate) closed_at: Vec<Timestamp>,
    pub(crate) scores: Vec<u8>,
}

/// A ticket that lives at random for some weeks, from a day in the month after `since`.
pub(crate) async fn live(desk: &Desk, n: u64, since: Timestamp, random: &mut Random) -> Lived {
    let requester = if random.once_in(3) { neighbour() } else { customer() };
    let mut life = Life {
        desk,
        n,
        at: since + random.seconds(30 * 86_400),
        lived: Lived {
            requester: requester.user,
            created_at: since,
            first_response_at: None,
            closed_at: Vec::new(),
            scores: Vec::new(),
        },
    };
    let Command::Create(mut sample, _) = create() else {
        panic!("the sample is a creation")
    };
    sample.number = TicketNumber(n);
    sample.requester = requester.user;
    sample.organisation = requester.organisation;
    life.lived.created_at = life.at;
    life.give(&requester, Command::Create(sample, None)).await;
    let stages = random.below(8);
    for stage in 0..stages {
        life.at += random.seconds(36 * 3600);
        life.stage(stage, &requester, random).await;
    }
    life.lived
}

struct Life<'d> {
    desk: &'d Desk,
    n: u64,
    at: Timestamp,
    lived: Lived,
}

impl Life<'_> {
    async fn give(&self, actor: &Actor, command: Command) {
        self.desk.give_at(ticket(self.n), actor, command, Some(self.at)).await;
    }

    fn answered(&mut self) {
        self.lived.first_response_at.get_or_insert(self.at);
    }

    async fn stage(&mut self, stage: u64, requester: &Actor, random: &mut Random) {
        match stage {
            0 => {
                let assignee = Some(if random.once_in(3) { COLLEAGUE } else { AGENT });
                self.give(&agent(), Command::Accept(Accept { assignee })).await;
                self.sort(random).await;
            }
            1 => {
                let visibility = [Visibility::Internal, Visibility::Public][usize::from(random.once_in(2))];
                let comment = AddComment {
                    body: body("We look into it."),
                    visibility,
                };
                self.give(&agent(), Command::Comment(comment)).await;
                if visibility == Visibility::Public {
                    self.answered();
                }
            }
            2 => {
                let question = RequestInfo {
                    comment: body("Which version?"),
                };
                self.give(&agent(), Command::RequestInfo(question)).await;
                self.answered();
            }
            3 => {
                let answer = AddComment {
                    body: body("7"),
                    visibility: Visibility::Public,
                };
                self.give(requester, Command::Comment(answer)).await;
            }
            4 => self.propose().await,
            5 => self.close(requester, random).await,
            _ => {
                let again = Reopen {
                    comment: body("It is back."),
                };
                self.give(requester, Command::Reopen(again)).await;
                self.give(&agent(), Command::Accept(Accept { assignee: None })).await;
                self.at += random.seconds(36 * 3600);
                self.propose().await;
                self.close(requester, random).await;
            }
        }
    }

    /// What sort of ticket it is, and whose.
    async fn sort(&self, random: &mut Random) {
        let catalogue = Catalogue::default();
        let codes = ["low", "high", "critical"];
        if let Some(code) = codes.get(usize::try_from(random.below(5)).unwrap()) {
            let classify = Classify {
                priority: Change::Set(catalogue.priority(code).unwrap().clone()),
                ..Classify::default()
            };
            self.give(&agent(), Command::Classify(Box::new(classify))).await;
        }
        if random.once_in(2) {
            let group = GroupId::from(Uuid::from_u128(u128::from(200 + random.below(3))));
            let assign = Assign {
                group: Change::Set(Some(group)),
                ..Assign::default()
            };
            self.give(&agent(), Command::Assign(assign)).await;
        }
    }

    async fn propose(&mut self) {
        let proposal = ProposeClosure { solution: body("F5") };
        self.give(&agent(), Command::ProposeClosure(proposal)).await;
        self.answered();
    }

    async fn close(&mut self, requester: &Actor, random: &mut Random) {
        let close = Close {
            comment: None,
            reason: None,
        };
        self.give(requester, Command::Close(close)).await;
        self.lived.closed_at.push(self.at);
        if !random.once_in(3) {
            let score = 1 + u8::try_from(random.below(5)).unwrap();
            self.give(requester, Command::Rate(Rate { score, comment: None })).await;
            self.lived.scores.push(score);
        }
    }
}

/// Long enough ago that all lives are over by now.
pub(crate) fn long_before(now: Timestamp) -> Timestamp {
    now - (90 * 24).hours()
}

/// A percentile with linear interpolation between the two nearest ranks.
pub(crate) fn percentile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let rank = part * f64::from(u32::try_from(last).unwrap());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank of few values"
    )]
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(last);
    Some(values[lower] + (values[upper] - values[lower]) * rank.fract())
}
