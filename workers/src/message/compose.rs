//! From a notice to words, a number and an address. What was overtaken by events is not said.

use domain::{
    aggregate::Loaded,
    client::{Client, Language, Standing},
    ids::{PaymentId, RefundId, ReservationId},
    invoice::Invoice,
    money::Money,
    payment::Payment,
    payout::Payout,
    phone::Phone,
    reaction::{Notice, Whom},
    refund::Refund,
    reservation::Status,
    sealed::{Sealed, field},
    site::Site,
};
use uuid::Uuid;

use super::{change, scene::Scene};
use crate::{
    act::TurnError,
    context::Context,
    effect::Letter,
    process::open_of,
    texts::{self, Message},
};

/// Ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    pub phone: Option<Phone>,
    pub email: Option<String>,
    pub subject: String,
    pub text: String,
}

/// Puts a letter together; `None` when there is nothing (any more) to say.
pub(super) async fn compose(ctx: &Context, letter: Letter) -> Result<Option<Composed>, TurnError> {
    let Some(message) = message(ctx, letter).await? else { return Ok(None) };
    Ok(match letter.whom {
        Whom::Client(client_id) => {
            let client: Loaded<Client> = ctx.store.load(client_id).await?;
            let phone = open(ctx, client_id.uuid(), field::PHONE, client.state.phone.as_ref()).await?;
            let text = texts::write(client.state.language, &message);
            Some(Composed { phone: number(phone), email: None, subject: String::new(), text })
        }
        Whom::ManagerOf(site_id) => {
            let site: Loaded<Site> = ctx.store.load(site_id).await?;
            let Some(contact) = &site.state.contact else { return Ok(None) };
            let subject = contact.subject.uuid();
            let phone = open(ctx, subject, field::PHONE, contact.phone.as_ref()).await?;
            let email = open(ctx, subject, field::EMAIL, contact.email.as_ref()).await?;
            let text = texts::write(Language::Fr, &message);
            let subject = text.split(['.', ',']).next().unwrap_or_default().to_owned();
            Some(Composed { phone: number(phone), email, subject, text })
        }
        Whom::Finance => None,
    })
}

fn number(phone: Option<String>) -> Option<Phone> {
    phone.and_then(|phone| Phone::new(&phone).ok())
}

async fn open(ctx: &Context, subject: Uuid, name: &str, sealed: Option<&Sealed>) -> Result<Option<String>, TurnError> {
    match sealed {
        Some(sealed) => Ok(ctx.store.subjects().open(subject, name, sealed).await?),
        None => Ok(None),
    }
}

async fn message(ctx: &Context, letter: Letter) -> Result<Option<Message>, TurnError> {
    let to_manager = matches!(letter.whom, Whom::ManagerOf(_));
    match letter.notice {
        Notice::PayToConfirm { reservation_id, payment_id } => pay(ctx, reservation_id, payment_id, true).await,
        Notice::PayBalance { reservation_id, payment_id } => pay(ctx, reservation_id, payment_id, false).await,
        Notice::Expired { reservation_id } => expired(ctx, reservation_id).await,
        Notice::Confirmed { reservation_id }
        | Notice::ConfirmedLate { reservation_id }
        | Notice::Cancelled { reservation_id }
        | Notice::Rescheduled { reservation_id }
        | Notice::Reminder { reservation_id }
        | Notice::NoShow { reservation_id } => {
            let scene = Scene::load(ctx, reservation_id).await?;
            Ok(scene.and_then(|scene| about_reservation(letter.notice, &scene, to_manager)))
        }
        Notice::PayFine { reservation_id, payment_id } => {
            let Some(scene) = Scene::load(ctx, reservation_id).await? else { return Ok(None) };
            let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
            let asked = payment.state.request.as_ref().filter(|_| payment.state.status.is_open());
            let pay_url = (ctx.pay_url)(payment_id);
            Ok(asked.map(|asked| Message::PayFine { game: scene.game, fine: asked.amount, pay_url }))
        }
        Notice::Fined { reservation_id }
        | Notice::FineAppealed { reservation_id }
        | Notice::FineDecided { reservation_id }
        | Notice::FineSettled { reservation_id } => about_fine(ctx, letter.notice, reservation_id).await,
        Notice::Paid { reservation_id, payment_id } => {
            let Some(scene) = Scene::load(ctx, reservation_id).await? else { return Ok(None) };
            let amount = ctx.store.load::<Payment>(payment_id).await?.state.captured();
            let balance = scene.reservation.state.balance_due();
            Ok(Some(Message::Paid { game: scene.game, amount, balance }))
        }
        Notice::SharePaid { reservation_id, payment_id } => {
            let Some(scene) = Scene::load(ctx, reservation_id).await? else { return Ok(None) };
            let amount = ctx.store.load::<Payment>(payment_id).await?.state.captured();
            let state = &scene.reservation.state;
            let (of, paid) = (state.shares().count(), state.shares().filter(|share| share.due.is_zero()).count());
            let missing = state.confirmation_due();
            Ok(Some(Message::SharePaid { game: scene.game, amount, paid, of, missing }))
        }
        Notice::SlotLost { reservation_id, refund_id } => {
            let Some(scene) = Scene::load(ctx, reservation_id).await? else { return Ok(None) };
            let free = scene.free(ctx).await?;
            Ok(amount(ctx, refund_id).await?.map(|back| Message::TooLate { game: scene.game, back, free }))
        }
        Notice::PaidTooMuch { reservation_id, refund_id } => {
            let Some(scene) = Scene::load(ctx, reservation_id).await? else { return Ok(None) };
            Ok(amount(ctx, refund_id).await?.map(|back| Message::TooMuch { site: scene.game.site, back }))
        }
        Notice::PaidTooLittle { reservation_id, refund_id } => {
            let Some(scene) = Scene::load(ctx, reservation_id).await? else { return Ok(None) };
            Ok(amount(ctx, refund_id).await?.map(|back| Message::TooLittle { game: scene.game, back }))
        }
        Notice::Refunded { refund_id } => refunded(ctx, refund_id).await,
        Notice::Credited { payment_id } => {
            let Whom::Client(client_id) = letter.whom else { return Ok(None) };
            let client: Loaded<Client> = ctx.store.load(client_id).await?;
            Ok(client.state.credits.get(&payment_id).map(|amount| Message::Credited { amount: *amount }))
        }
        Notice::HandOut { refund_id } => {
            let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
            let Some(request) = &refund.state.request else { return Ok(None) };
            let scene = Scene::load(ctx, request.reservation_id).await?;
            Ok(scene.map(|scene| Message::HandOut { game: scene.game, amount: request.amount }))
        }
        Notice::TillVariance { site_id, variance } => {
            let site: Loaded<Site> = ctx.store.load(site_id).await?;
            Ok(site.state.identity.map(|identity| Message::TillVariance {
                site: identity.profile.name.to_string(),
                variance: Money::new(variance, identity.currency),
            }))
        }
        Notice::PaidOut { payout_id } => {
            let payout: Loaded<Payout> = ctx.store.load(payout_id).await?;
            let Some(prepared) = &payout.state.prepared else { return Ok(None) };
            let site: Loaded<Site> = ctx.store.load(prepared.site_id).await?;
            let site =
                site.state.identity.as_ref().map(|identity| identity.profile.name.to_string()).unwrap_or_default();
            let reference = payout.state.attempt.as_ref().and_then(|attempt| attempt.provider_id.as_ref());
            let reference = reference.map(ToString::to_string).or(payout.state.transfer.clone());
            Ok(Some(Message::PaidOut { site, amount: prepared.amount, reference }))
        }
        Notice::Invoiced { invoice_id } | Notice::InvoiceOverdue { invoice_id } => {
            let invoice: Loaded<Invoice> = ctx.store.load(invoice_id).await?;
            // Whoever was quicker than the letter needs none.
            let Some(issued) = invoice.state.issued.as_ref().filter(|_| invoice.state.status.is_open()) else {
                return Ok(None);
            };
            let site: Loaded<Site> = ctx.store.load(issued.site_id).await?;
            let Some(identity) = &site.state.identity else { return Ok(None) };
            Ok(Some(Message::Invoice {
                site: identity.profile.name.to_string(),
                number: issued.number,
                amount: issued.amount,
                until: issued.due_at.with_timezone(&identity.time_zone).format("%d/%m/%Y").to_string(),
                late: matches!(letter.notice, Notice::InvoiceOverdue { .. }),
            }))
        }
        Notice::RecoveryBegun { .. }
        | Notice::RecoveryCompleted
        | Notice::NumberChangeBegun { .. }
        | Notice::NumberChanged
        | Notice::NumberWanted => change::about(ctx, letter).await,
        Notice::PayoutWaits { .. }
        | Notice::TransferWanted { .. }
        | Notice::PayoutFailed { .. }
        | Notice::AmountDiffers { .. }
        | Notice::PaidTwice { .. }
        | Notice::ApprovalWanted { .. }
        | Notice::RefundReversed { .. }
        | Notice::DifferencesFound { .. }
        | Notice::EndpointDisabled { .. }
        | Notice::NoAnswer { .. } => Ok(None),
    }
}

/// A fine, as long as it stands as the notice says.
async fn about_fine(ctx: &Context, notice: Notice, id: ReservationId) -> Result<Option<Message>, TurnError> {
    let Some(scene) = Scene::load(ctx, id).await? else { return Ok(None) };
    let Some(client_id) = scene.terms.client_id else { return Ok(None) };
    let client: Loaded<Client> = ctx.store.load(client_id).await?;
    let Some(fine) = client.state.fines.get(&id).copied() else { return Ok(None) };
    let zone = scene.terms.slot.time_zone;
    let (game, amount) = (scene.game, fine.amount);
    Ok(match (notice, fine.standing) {
        (Notice::Fined { .. }, Standing::Owed) => {
            let until = fine.appeal_until.with_timezone(&zone);
            Some(Message::Fined { game, fine: amount, until: (until.date_naive(), until.time()) })
        }
        (Notice::FineAppealed { .. }, Standing::Appealed { decide_by }) => {
            Some(Message::FineAppealed { game, fine: amount, by: decide_by.with_timezone(&zone).date_naive() })
        }
        (Notice::FineDecided { .. }, Standing::Waived) => {
            Some(Message::FineDecided { game, fine: amount, waived: true })
        }
        (Notice::FineDecided { .. }, Standing::Upheld) => {
            Some(Message::FineDecided { game, fine: amount, waived: false })
        }
        (Notice::FineSettled { .. }, Standing::Settled) => Some(Message::FineSettled { game, fine: amount }),
        _ => None,
    })
}

/// A link to pay, while there is something to pay.
async fn pay(
    ctx: &Context,
    id: ReservationId,
    payment_id: PaymentId,
    holds: bool,
) -> Result<Option<Message>, TurnError> {
    let Some(scene) = Scene::load(ctx, id).await? else { return Ok(None) };
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let Some(request) = &payment.state.request else { return Ok(None) };
    if !payment.state.status.is_open() || (holds && scene.status() != Status::Held) {
        return Ok(None);
    }
    let (due, pay_url) = (request.amount, (ctx.pay_url)(payment_id));
    let until = scene.local(request.hold_expires_at.unwrap_or(scene.terms.hold_expires_at));
    Ok(Some(if holds {
        Message::Held { game: scene.game, due, until, pay_url }
    } else {
        Message::PayBalance { game: scene.game, due, pay_url }
    }))
}

/// The hold ended. Where a part was paid, its return is what is said; and nobody is told that nothing was taken while a
/// provider may still say otherwise.
async fn expired(ctx: &Context, id: ReservationId) -> Result<Option<Message>, TurnError> {
    let Some(scene) = Scene::load(ctx, id).await? else { return Ok(None) };
    if scene.status() != Status::Expired || scene.reservation.state.received().is_positive() {
        return Ok(None);
    }
    let mut settled = true;
    for payment_id in open_of(ctx.store.pool(), id).await? {
        // The list may be a moment old.
        settled &= !ctx.store.load::<Payment>(payment_id).await?.state.status.is_open();
    }
    Ok(Some(Message::Expired { game: scene.game, settled }))
}

fn about_reservation(notice: Notice, scene: &Scene, to_manager: bool) -> Option<Message> {
    let state = &scene.reservation.state;
    let (status, game) = (scene.status(), scene.game.clone());
    let (paid, balance) = (state.held_money(), state.balance_due());
    let live = matches!(status, Status::Confirmed | Status::CheckedIn);
    Some(match notice {
        Notice::Confirmed { .. } | Notice::ConfirmedLate { .. } if live && to_manager => {
            Message::Booked { game, paid, balance }
        }
        Notice::Confirmed { .. } | Notice::ConfirmedLate { .. } if live => Message::Confirmed { game, paid, balance },
        Notice::Cancelled { .. } if to_manager => Message::Freed { game },
        Notice::Cancelled { .. } => {
            let (reason, _) = state.cancelled?;
            Message::Cancelled { game, reason, back: state.refunded(), kept: paid }
        }
        Notice::Rescheduled { .. } if live && to_manager => Message::Moved { game },
        Notice::Rescheduled { .. } if live => Message::Rescheduled { game, back: state.refunded(), balance },
        Notice::Reminder { .. } if status == Status::Confirmed => Message::Reminder { game, balance },
        Notice::NoShow { .. } if status == Status::NoShow => {
            Message::NoShow { game, kept: paid, fine: scene.terms.policy.no_show_fine }
        }
        _ => return None,
    })
}

async fn amount(ctx: &Context, refund_id: RefundId) -> Result<Option<Money>, TurnError> {
    let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
    Ok(refund.state.request.as_ref().map(|request| request.amount))
}

async fn refunded(ctx: &Context, refund_id: RefundId) -> Result<Option<Message>, TurnError> {
    let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
    let (Some(request), attempt) = (&refund.state.request, &refund.state.attempt) else { return Ok(None) };
    let site: Loaded<Site> = ctx.store.load(request.site_id).await?;
    let site = site.state.identity.as_ref().map(|identity| identity.profile.name.to_string()).unwrap_or_default();
    let reference = attempt.as_ref().and_then(|attempt| attempt.provider_id.as_ref()).map(ToString::to_string);
    Ok(Some(Message::Refunded { site, amount: request.amount, reference }))
}
