// Books a pitch, pays its deposit by Wave and shows the ticket. KALEL_URL and KALEL_KEY say where, and as whom.
import { answered, kalel } from "../../clients/typescript/index.js";

const api = kalel(process.env.KALEL_URL!, process.env.KALEL_KEY);
const date = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
const sites = answered(await api.GET("/v1/sites", { params: { query: { near: "14.6868,-17.4547", format: "5x5" } } }));
const id = sites.data[0]!.slug;
const free = answered(await api.GET("/v1/sites/{id}/availability", { params: { path: { id }, query: { date, minutes: 60 } } }));
const pitch = free.pitches.find((pitch) => pitch.starts.length > 0)!;
const wish = { site_id: id, pitch_id: pitch.pitch_id, starts_at: pitch.starts[0]!.starts_at, minutes: 60 };
const { quote } = answered(await api.POST("/v1/quotes", { body: wish }));

const held = answered(
  await api.POST("/v1/reservations", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { quote, client: { phone: "77 123 45 67", name: "Awa" }, payment: { method: "wave", pays: "deposit" } },
  }),
);
console.log(`${held.status}: pay ${held.deposit_due.amount} ${held.deposit_due.currency} at ${held.payment?.checkout_url}`);
await fetch(held.payment!.checkout_url!, { method: "POST", body: new URLSearchParams({ action: "pay" }) }); // the payer's part

const path = { id: held.id };
let now = held;
for (let tries = 0; now.status !== "confirmed" && tries < 40; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  now = answered(await api.GET("/v1/reservations/{id}", { params: { path } }));
}
console.log(`${now.status}: ticket ${answered(await api.GET("/v1/reservations/{id}/ticket", { params: { path } })).code}`);
