// A client of Kalel's API: every path, body and answer typed by the contract (schema.d.ts is made from it by .ci/clients).
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Kalel = Client<paths>;

/** A client for an installation; without a key it may do what anybody may. */
export function kalel(baseUrl: string, key?: string): Kalel {
  return createClient<paths>({ baseUrl, headers: key ? { Authorization: `Bearer ${key}` } : {} });
}

/** What was answered, or the problem as an error that says its code. */
export function answered<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data !== undefined) return answer.data;
  const problem = answer.error as Partial<Schemas["Problem"]> | undefined;
  throw new Error(`${answer.response.status} ${problem?.code ?? ""}: ${problem?.detail ?? answer.response.statusText}`);
}
