// The GraphQL-over-HTTP audit suite, as its authors publish it.
import { serverAudits } from 'graphql-http';
import type { AuditResult } from 'graphql-http';
import { describe, expect, it } from 'vitest';
import { serveReal as serve } from './real.ts';

async function audit(url: string): Promise<readonly Pick<AuditResult, 'id' | 'name' | 'status'>[]> {
  const audits = serverAudits({ url, fetchFn: fetch });
  expect(audits.length).toBeGreaterThan(60);
  const results = await Promise.all(audits.map(async (one) => one.fn()));
  return results.map(({ id, name, status }) => ({ id, name, status }));
}

describe('GraphQL over HTTP', () => {
  it('passes every audit in development, the optional ones too', async () => {
    const { url } = await serve({ mode: 'development' });
    const results = await audit(url);
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  it('passes every audit in production when introspection is asked for', async () => {
    const { url } = await serve({ mode: 'production', introspection: true });
    const results = await audit(url);
    // The suite asks by introspection, which production leaves off unless told otherwise.
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
  });
});
