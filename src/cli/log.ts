// The server's log on standard error, secrets redacted: lines for people on a terminal, JSON lines everywhere else.
import type { Logger } from 'pino';

/** `HEADGATE_LOG`: trace, debug, info, warn, error or silent; default warn, so that a terminal stays readable. */
export async function createLog(
  env: { readonly [name: string]: string | undefined },
  isTerminal: boolean,
): Promise<Logger> {
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
    isTerminal
      ? { write: (line: string) => void process.stderr.write(`${lineForPeople(line)}\n`) }
      : destination({ dest: 2, sync: true }),
  );
}

const LEVELS: { readonly [level: number]: string } = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};

/** `09:30:00 warning run: task=summarize status=failed`; of an error its message, and its stack where there is one. */
export function lineForPeople(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as {
    readonly level: number;
    readonly time?: number;
    readonly msg?: string;
    readonly err?: { readonly message?: string; readonly stack?: string };
    readonly [field: string]: unknown;
  };
  const at = new Date(time ?? 0).toISOString().slice(11, 19);
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  const failure = err === undefined ? '' : `\n  ${err.stack ?? err.message ?? ''}`;
  return `${at} ${LEVELS[level] ?? level} ${msg ?? ''}${pairs.length > 0 ? `: ${pairs.join(' ')}` : ''}${failure}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? '');
}
