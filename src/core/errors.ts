/** Codes for machines; exit codes and HTTP statuses are tables over them. `conflict`: not as things stand, such as a name that is taken. */
export type ErrorCode = 'usage' | 'invalid-config' | 'not-found' | 'conflict' | 'unavailable' | 'internal';

/** Misuse or broken infrastructure. The message is one sentence for a person: what was expected, what came, what to do next. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
