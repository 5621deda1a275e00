// Signs the cases with the reference implementation for Node, and with node:crypto what it does not know (v1a).
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { modules, cases, secret, seed } = JSON.parse(process.argv[2]);
const require = createRequire(`${modules}/`);
const { Webhook } = require("standardwebhooks");
const { version } = JSON.parse(readFileSync(`${modules}/standardwebhooks/package.json`));

const webhook = new Webhook(secret);
const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed, "hex")]);
const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);

const vectors = JSON.parse(readFileSync(cases)).flatMap(({ id, timestamp, body }) => [
  { by: `npm standardwebhooks ${version}`, secret, id, timestamp, body,
    signature: webhook.sign(id, new Date(timestamp * 1000), body) },
  { by: "node:crypto", secret: `whpk_${raw.toString("base64")}`, id, timestamp, body,
    signature: `v1a,${sign(null, Buffer.from(`${id}.${timestamp}.${body}`), key).toString("base64")}` },
]);
console.log(JSON.stringify(vectors));
