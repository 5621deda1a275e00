"""Books a pitch, pays its deposit by Wave and shows the ticket. KALEL_URL and KALEL_KEY say where, and as whom."""
import datetime, os, time, uuid  # noqa: E401
import httpx
from answered import answered
from kalel import AuthenticatedClient
from kalel.api.reservation import reservation_place, reservation_show, reservation_ticket
from kalel.api.site import site_availability, site_search
from kalel.models import PaymentWish, PaymentWishMethodType1 as Method, Pays, PersonInput, PlaceReservation

kalel = AuthenticatedClient(os.environ["KALEL_URL"], os.environ["KALEL_KEY"], timeout=httpx.Timeout(10))
day = datetime.date.today() + datetime.timedelta(days=8)
site = answered(site_search.sync(client=kalel, near="14.6868,-17.4547", format_="5x5")).data[0].slug
free = answered(site_availability.sync(site, client=kalel, date=day, minutes=60))
pitch = next(pitch for pitch in free.pitches if pitch.starts)
wish = PlaceReservation(
    site_id=site, pitch_id=str(pitch.pitch_id), starts_at=datetime.datetime.fromisoformat(pitch.starts[0].starts_at),
    minutes=60, client=PersonInput(phone="77 123 45 67", name="Awa"), payment=PaymentWish(Method.WAVE, Pays.DEPOSIT),
)
held = answered(reservation_place.sync(client=kalel, body=wish, idempotency_key=str(uuid.uuid4())))
assert held.payment and held.payment.checkout_url
print(f"{held.status}: pay {held.deposit_due.amount} {held.deposit_due.currency} at {held.payment.checkout_url}")
httpx.post(held.payment.checkout_url, data={"action": "pay"})  # the payer's part

for _ in range(40):
    if (now := answered(reservation_show.sync(held.id, client=kalel))).status == "confirmed":
        break
    time.sleep(0.5)
print(f"{now.status}: ticket {answered(reservation_ticket.sync(held.id, client=kalel)).code}")
