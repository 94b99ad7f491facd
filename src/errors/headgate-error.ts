// HeadgateError: an expected failure that ends a command or refuses a request, told in one line with its remedy.

export class HeadgateError extends Error {
  override readonly name = 'HeadgateError';
  /** Stable, upper case; in docs/reference/errors.md. */
  readonly code: string;
  /** One sentence that says what to do. */
  readonly remedy: string;
  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}
