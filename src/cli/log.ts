// The server's log: JSON lines on standard error, secrets redacted.
import type { Logger } from 'pino';

/** `HEADGATE_LOG`: trace, debug, info, warn, error or silent; default warn, so that a terminal stays readable. */
export async function createLog(env: { readonly [name: string]: string | undefined }): Promise<Logger> {
  const { pino, destination } = await import('pino');
  return pino(
    {
      level: env['HEADGATE_LOG'] ?? 'warn',
      base: null,
      redact: {
        paths: ['*.apiKey', '*.authorization', 'authorization', '*.secret', 'headers.authorization'],
        censor: '[redacted]',
      },
    },
    destination({ dest: 2, sync: true }),
  );
}
