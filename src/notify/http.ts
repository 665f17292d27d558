import { Failure } from '../core/failure.ts';
import type { JsonObject } from '../core/outcome.ts';
import { quoted } from '../core/quoted.ts';
import { url as urlOf } from '../net/http/request-options.ts';
import { statusOf, type HttpResponse } from '../net/http/http.ts';
import { tlsFields } from '../net/tls/options.ts';
import { requestOverHttp } from '../net/http/request.ts';
import type { SendPorts, SendResult } from './notifier.ts';

/** A webhook address that alone allows to send: it is shown nowhere. */
export function secretUrl(description: string, example: string) {
  return urlOf(['https:', 'http:'], { mayHaveUser: false }).meta({
    description,
    example,
    secret: true,
    secretUrl: true,
  });
}

/** The address of a server, without a `/` at its end. */
export function serverUrl(description: string, example: string) {
  return urlOf(['https:', 'http:'], { mayHaveUser: false })
    .transform((text) => text.replace(/\/{1,10}$/, ''))
    .meta({ description, example });
}

/** For servers with a certificate of their own. */
export const caOption = tlsFields.ca;

export interface SendRequest {
  readonly url: string;
  /** POST if undefined. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `application/json` if undefined. */
  readonly contentType?: string;
  /** Certificates to trust instead of the usual ones (PEM). */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

/** The answer of a provider. */
export interface Answer {
  readonly status: number;
  /** `200 OK`. */
  readonly statusText: string;
  readonly headers: ReadonlyMap<string, string>;
  /** At most 64 KiB. */
  readonly text: string;
  /** The text as a JSON object; undefined if it is none. */
  readonly json: JsonObject | undefined;
}

const maxAnswerBytes = 65_536;
const maxRetryAfterMs = 3_600_000;

/** Sends one request; redirects are not followed, and the answer is read up to a limit. @throws {Failure} */
export async function askProvider(request: SendRequest, { net, clock }: SendPorts): Promise<Answer> {
  const { url, method = 'POST', headers = {}, body, contentType = 'application/json', ca, signal } = request;
  const { response } = await requestOverHttp(new URL(url), {
    net,
    clock,
    signal,
    dial: {},
    tls: { verify: true, minVersion: 'TLSv1.2', ca, ocsp: 'staple', resume: false },
    headers: {
      'user-agent': 'Watchkeeper',
      accept: 'application/json, */*',
      ...(body !== undefined && { 'content-type': contentType }),
      ...headers,
    },
    method,
    ...(body !== undefined && { body }),
    maxBodyBytes: maxAnswerBytes,
  });
  return answerOf(response);
}

function answerOf(response: HttpResponse): Answer {
  const text = response.body.toString('utf8');
  const { status, headers } = response;
  return { status, statusText: statusOf(response), headers, text, json: jsonObjectOf(text) };
}

function jsonObjectOf(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** What the answers of one provider mean beyond their status. */
export interface AnswerReading {
  /** Reads an answer with a status of 200 to 299. */
  readonly accept?: (answer: Answer) => SendResult;
  /** Reads another answer; undefined leaves it to its status. */
  readonly reject?: (answer: Answer) => SendResult | undefined;
}

/** Sends a request and says what its answer means. @throws {Failure} */
export async function sendOverHttp(
  request: SendRequest,
  ports: SendPorts,
  { accept = delivered, reject }: AnswerReading = {},
): Promise<SendResult> {
  const answer = await askProvider(request, ports);
  if (answer.status >= 200 && answer.status < 300) return accept(answer);
  return reject?.(answer) ?? notAccepted(answer, ports.clock.now());
}

/** Edits the first message of an incident after the news was delivered: a failure changes nothing of that. */
export async function editFirst(request: SendRequest, ports: SendPorts): Promise<void> {
  try {
    await askProvider(request, ports);
  } catch (error) {
    const isOver = error instanceof Failure || request.signal.aborted;
    if (!isOver) throw error;
  }
}

export function delivered(answer: Answer): SendResult {
  return { outcome: 'delivered', text: answerText(answer) };
}

/** Takes an answer only with this key in it: a portal in between answers 200 with a page of its own. */
export function acceptWith(key: string): (answer: Answer) => SendResult {
  return (answer) =>
    answer.json?.[key] === undefined
      ? retry(`expected an answer with ${key}, got ${answerText(answer)}`)
      : delivered(answer);
}

/** Takes every answer but a web page. */
export function acceptNoPage(answer: Answer): SendResult {
  const isPage = /^text\/html/i.test(answer.headers.get('content-type') ?? '');
  return isPage ? retry(`expected no web page, got ${answerText(answer)}`) : delivered(answer);
}

/** Incoming webhooks of Slack and Mattermost answer `ok`; a portal in between answers 200 with something else. */
export function plainOk(answer: Answer): SendResult {
  return answer.text.trim() === 'ok' ? delivered(answer) : retry(`expected the answer "ok", got ${answerText(answer)}`);
}

const tryAgain: ReadonlySet<number> = new Set([408, 425, 429]);
const needsPeople: ReadonlySet<number> = new Set([401, 403, 404, 405, 410]);

/** What an answer other than 2xx means. */
function notAccepted(answer: Answer, nowMs: number): SendResult {
  const { status } = answer;
  const text = answerText(answer);
  if (tryAgain.has(status) || status >= 500) return retry(text, retryAfterMs(answer, nowMs));
  if (status < 400) return { outcome: 'broken', text: `${text}; redirects are not followed: give the final address` };
  return needsPeople.has(status) ? { outcome: 'broken', text } : { outcome: 'refused', text };
}

export function retry(text: string, afterMs?: number): SendResult {
  return { outcome: 'retry', text, ...(afterMs !== undefined && { afterMs: Math.min(afterMs, maxRetryAfterMs) }) };
}

/** The wait that Retry-After asks for, in seconds or as a date (RFC 9110 section 10.2.3); undefined without one. */
function retryAfterMs({ headers }: Pick<Answer, 'headers'>, nowMs: number): number | undefined {
  const given = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(given)) return Number(given) * 1000;
  const date = /^[A-Z][a-z]{2,8},? /.test(given) ? Date.parse(given) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const maxShown = 300;

/** `429 Too Many Requests: "slow down"`, safe to print. */
export function answerText({ statusText, text }: Answer): string {
  const said = text.trim();
  return said === ''
    ? quoted(statusText).slice(1, -1)
    : `${quoted(statusText).slice(1, -1)}: ${quoted(said, maxShown)}`;
}

/** A failure of the network, or of what we may reach, as a result. */
export function failureResult(failure: Failure): SendResult {
  // The egress policy does not change its mind by itself.
  return failure.reason === 'denied'
    ? { outcome: 'broken', text: failure.message }
    : { outcome: 'retry', text: failure.message };
}

/** `a=1&b=2`. */
export function formBody(fields: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}
