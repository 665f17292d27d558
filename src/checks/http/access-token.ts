import type { CheckContext, Measurement } from '../../core/check.ts';
import type { Clock } from '../../core/clock.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import { quoted } from '../../core/quoted.ts';
import { endpointOfUrl, formatEndpoint } from '../../core/target.ts';
import { TtlCache } from '../../core/ttl-cache.ts';
import { decodeContent } from '../../net/http/content-coding.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { requestOverHttp } from '../../net/http/request.ts';
import { basicAuthorization } from './authorization.ts';
import type { ClientCredentials } from './oauth2-options.ts';
import type { HttpOptions } from './options.ts';
import { planOf } from './plan.ts';

const maxBodyBytes = 65_536;
const maxTokenLength = 8192;
/** How long a token of unknown life is kept. */
const unknownLifeMs = 300_000;
const longestKeptMs = 86_400_000;
/** A token is given up this much before its end, or a tenth of its life: a run that begins with it has to end with it. */
const marginMs = 60_000;

interface Token {
  readonly authorization: string;
  readonly ttlMs: number;
}

export interface AccessToken {
  /** Value of the Authorization header. */
  readonly authorization: string;
  /** From an earlier run: the server may have withdrawn it since. */
  readonly isKept: boolean;
  forget(): void;
}

interface Asking extends CheckContext {
  readonly options: HttpOptions;
  readonly measurement: Measurement;
}

/** One per clock, and so per process: monitors with the same client share its tokens. */
const caches = new WeakMap<Clock, TtlCache<Token>>();

/**
 * An access token for these client credentials (RFC 6749 section 4.4), kept until shortly before its end. Its server is not
 * the target: where it fails, nothing is known of the target. @throws {Failure} unknown, whatever its reason
 */
export async function accessToken(client: ClientCredentials, asking: Asking): Promise<AccessToken> {
  const { clock, signal, measurement } = asking;
  const cache = caches.getOrInsertComputed(clock, () => new TtlCache<Token>(clock));
  const key = JSON.stringify(client);
  const where = formatEndpoint(endpointOfUrl(new URL(client.tokenUrl)));
  const startedMs = clock.monotonic();
  let isKept = true;
  const load = (untilNobodyWaits: AbortSignal): Promise<Token> => {
    isKept = false;
    return fetchToken(client, where, { ...asking, signal: untilNobodyWaits });
  };
  try {
    const { authorization } = await cache.get(key, { signal, load });
    return { authorization, isKept, forget: () => cache.forget(key) };
  } catch (error) {
    throw aboutTheTokenServer(error, signal, where);
  } finally {
    measurement.metrics['tokenMs'] = clock.monotonic() - startedMs;
  }
}

function aboutTheTokenServer(error: unknown, signal: AbortSignal, where: string): unknown {
  const doing = `Fetching an access token from ${where}, before the target was asked`;
  if (signal.aborted && isDeadline(signal.reason)) {
    const message = `${doing}: ${signal.reason.message}`;
    return new Failure('timeout', message, { cause: signal.reason, as: { status: 'unknown', source: 'path' } });
  }
  if (!(error instanceof Failure)) return error;
  const source = error.source === 'agent' ? 'agent' : 'path';
  const message = `${doing}: ${error.message}`;
  return new Failure(error.reason, message, { cause: error.cause, as: { status: 'unknown', source } });
}

async function fetchToken(client: ClientCredentials, where: string, asking: Asking): Promise<Token> {
  const { options } = asking;
  const { certificate: _, key: __, serverName: ___, ...tls } = options.tls;
  const { response } = await requestOverHttp(new URL(client.tokenUrl), {
    ...asking,
    method: 'POST',
    dial: planOf(options).dial,
    tls: { ...tls, resume: false },
    headers: {
      'user-agent': 'watchkeeper',
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basicAuthorization(formEncoded(client.clientId), formEncoded(client.clientSecret)),
    },
    body: formOf(client),
    maxBodyBytes,
  });
  return await tokenOf(response, client, where);
}

function formOf({ scope, audience }: ClientCredentials): string {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== undefined) form.set('scope', scope);
  if (audience !== undefined) form.set('audience', audience);
  return form.toString();
}

/** RFC 6749 section 2.3.1: id and secret are encoded as in a form before they become user and password. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** @throws {Failure} denied, where the server refuses the client; protocol */
async function tokenOf(response: HttpResponse, { clientSecret }: ClientCredentials, where: string): Promise<Token> {
  const { bytes } = await decodeContent(response, { peer: where, maxBodyBytes });
  const text = bytes.toString('utf8');
  const shown = quoted(text.replaceAll(clientSecret, '***'));
  const answer = jsonObject(text);
  // RFC 6749 section 5.2. The client is what a person configured.
  if (response.status >= 400 && response.status < 500 && typeof answer['error'] === 'string')
    throw new Failure('denied', `it refuses this client: ${statusOf(response)}, ${shown}.`);
  if (response.status !== 200)
    throw new Failure('protocol', `expected 200 and a token, got ${statusOf(response)}, ${shown}.`);
  const { access_token: token, token_type: type, expires_in: seconds } = answer;
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw new Failure('protocol', `expected a token of type Bearer, got ${quoted(JSON.stringify(type ?? null))}.`);
  if (typeof token !== 'string' || token.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(token))
    throw new Failure('protocol', `expected an access_token of 1 to ${maxTokenLength} characters, got none.`);
  return { authorization: `Bearer ${token}`, ttlMs: keptFor(seconds) };
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // Any object can be read by its keys.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function keptFor(seconds: unknown): number {
  const lifeMs = Number(seconds ?? Number.NaN) * 1000;
  if (!(lifeMs >= 0)) return unknownLifeMs;
  return Math.min(longestKeptMs, lifeMs - Math.min(marginMs, lifeMs / 10));
}
