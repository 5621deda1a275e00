// A minimal booking API as many would write it: Fastify with a schema, pg with a pool, one table whose EXCLUDE
// constraint lets nobody overlap. It checks no key, no price, no opening hours, and remembers no idempotency key.
// POST /reservations inserts and lets the constraint say no; POST /reservations/checked looks before it inserts.
//
// DATABASE_URL, PROCESSES (1: this process; more: that many in a cluster), CONNECTIONS to Postgres in all.
// Prints one line when it listens: {"listening":"127.0.0.1:PORT"}.

import cluster from 'node:cluster';
import Fastify from 'fastify';
import pg from 'pg';

const processes = Number(process.env.PROCESSES ?? 1);
const connections = Number(process.env.CONNECTIONS ?? 10);

const TABLE = `
  CREATE EXTENSION IF NOT EXISTS btree_gist;
  DROP SCHEMA IF EXISTS peer_node CASCADE;
  CREATE SCHEMA peer_node;
  CREATE TABLE peer_node.reservations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    site_id uuid NOT NULL,
    pitch_id text NOT NULL,
    during tstzrange NOT NULL,
    status text NOT NULL DEFAULT 'held',
    created_at timestamptz NOT NULL DEFAULT now(),
    EXCLUDE USING gist (site_id WITH =, pitch_id WITH =, during WITH &&)
  )`;

const BODY = {
  type: 'object',
  required: ['site_id', 'pitch_id', 'starts_at', 'minutes'],
  properties: {
    site_id: { type: 'string', format: 'uuid' },
    pitch_id: { type: 'string', minLength: 1, maxLength: 64 },
    starts_at: { type: 'string', format: 'date-time' },
    minutes: { type: 'integer', minimum: 30, maximum: 720 },
    payment: { type: 'object' },
  },
};

const INSERT = {
  name: 'reserve',
  text: `INSERT INTO peer_node.reservations (site_id, pitch_id, during)
         VALUES ($1, $2, tstzrange($3::timestamptz, $3::timestamptz + $4 * interval '1 minute'))
         RETURNING id, status, lower(during) AS starts_at, upper(during) AS ends_at`,
};

const IN_THE_WAY = {
  name: 'in_the_way',
  text: `SELECT 1 FROM peer_node.reservations
         WHERE site_id = $1 AND pitch_id = $2
           AND during && tstzrange($3::timestamptz, $3::timestamptz + $4 * interval '1 minute')
         LIMIT 1`,
};

const EXCLUSION_VIOLATION = '23P01';

async function serve(port) {
  const pool = new pg.Pool({
    connectionString: process.env.DATABASE_URL,
    max: Math.max(1, Math.round(connections / processes)),
  });
  // An idle connection that breaks is replaced.
  pool.on('error', () => {});
  const app = Fastify();
  const reserve = async (values, reply) => {
    try {
      const { rows } = await pool.query({ ...INSERT, values });
      return reply.code(201).send(rows[0]);
    } catch (error) {
      if (error.code === EXCLUSION_VIOLATION) return reply.code(409).send({ error: 'slot_taken' });
      throw error;
    }
  };
  const wish = ({ site_id, pitch_id, starts_at, minutes }) => [site_id, pitch_id, starts_at, minutes];
  app.post('/reservations', { schema: { body: BODY } }, (request, reply) => reserve(wish(request.body), reply));
  app.post('/reservations/checked', { schema: { body: BODY } }, async (request, reply) => {
    const values = wish(request.body);
    const { rowCount } = await pool.query({ ...IN_THE_WAY, values });
    return rowCount > 0 ? reply.code(409).send({ error: 'slot_taken' }) : reserve(values, reply);
  });
  await app.listen({ host: '127.0.0.1', port });
  return app.server.address().port;
}

async function prepare() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await client.query(TABLE);
  await client.end();
}

const tell = (port) => console.log(JSON.stringify({ listening: `127.0.0.1:${port}` }));

// Whoever started it closes its standard input to end it, however they end themselves.
function endWithParent() {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

if (cluster.isPrimary) {
  endWithParent();
  await prepare();
  if (processes === 1) {
    tell(await serve(0));
  } else {
    let ready = 0;
    cluster.on('message', (_worker, { port }) => {
      ready += 1;
      if (ready === processes) tell(port);
    });
    cluster.on('exit', () => process.exit(1));
    for (let index = 0; index < processes; index += 1) cluster.fork();
  }
} else {
  // Port 0 in a cluster is one port that all its processes share.
  process.send({ port: await serve(0) });
}
