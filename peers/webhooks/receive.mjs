// A receiver as an integrator writes one: the reference implementation for Node checks what arrives, and node:crypto the
// signature by the key of the log. Reports each message on standard output.
import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const { Webhook } = require("standardwebhooks");
let secret = "";
let jwk = null;

function byKey(headers, body) {
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  return headers["webhook-signature"].split(" ").some((signature) => {
    const [version, text] = signature.split(",");
    return version === "v1a" && verify(null, signed, key, Buffer.from(text, "base64"));
  });
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces).toString();
    if (request.url === "/setup") {
      ({ secret, jwk } = JSON.parse(body));
      return response.writeHead(204).end();
    }
    const told = { by: "npm", id: request.headers["webhook-id"], v1: false, v1a: false, tampered: true };
    try {
      told.type = new Webhook(secret).verify(body, request.headers).type;
      told.v1 = true;
    } catch (error) {
      told.error = String(error);
    }
    try {
      new Webhook(secret).verify(`${body} `, request.headers);
    } catch {
      told.tampered = false;
    }
    told.v1a = byKey(request.headers, body);
    console.log(JSON.stringify(told));
    response.writeHead(told.v1 ? 204 : 401).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
