/** A request that the server refused, with its sentence for people (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Asks the server. @throws {Problem} @throws {TypeError} when the server cannot be reached */
export async function ask<Answer>(path: string, { method = 'GET', body, signal }: Request = {}): Promise<Answer> {
  const response = await fetch(`/api/v1${path}`, {
    method,
    ...(signal && { signal }),
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const answer = (await response.json().catch(() => ({}))) as { readonly detail?: string };
  if (response.ok) return answer as Answer;
  throw new Problem(response.status, answer.detail ?? response.statusText);
}
