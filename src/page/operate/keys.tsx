// Keys: who may call, what they may do; made here with the secret shown once, and revoked here.
import type { FormEvent, ReactNode } from 'react';
import { errorText, useAction, useData } from '../client.ts';
import { Badge, Empty, field, Moment, Panel, Problem, Table } from '../parts/parts.tsx';
import { Secret, useMadeSecret } from '../parts/secret.tsx';
import type { CreateApiKeyInput, KeysQuery } from '../generated/graphql.ts';
import { createKey, keysQuery, revokeKey } from './query.ts';

type Key = KeysQuery['apiKeys'][number];

export function Keys() {
  const [{ data, error }, read] = useData(keysQuery, {});
  const [{ error: failed, fetching }, revoke] = useAction(revokeKey);
  const again = (): void => read({ requestPolicy: 'network-only' });
  const keys = (data?.apiKeys ?? []).toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  return (
    <>
      <h1>Keys</h1>
      <div className="panels">
        <Panel title="Keys" wide>
          <Problem text={errorText(error ?? failed)} />
          {keys.length === 0 && error === undefined ? (
            <Empty>
              No key exists: whoever reaches this address may do everything. The first key closes it to
              everybody without one, this page too: sign in with it.
            </Empty>
          ) : (
            <Table label="Keys" head={['Key', 'Caller', 'Team', 'May', 'Made', 'Last used', '']}>
              {keys.map((key) => (
                <tr key={key.id}>
                  <td>
                    <code>{key.hint}</code>
                  </td>
                  <td>{key.caller}</td>
                  <td>{key.team ?? '–'}</td>
                  <td>
                    {key.scopes.join(' ')}
                    {key.requestsPerMinute !== null && ` · ${key.requestsPerMinute} a minute`}
                    {key.tags.length > 0 &&
                      ` · ${key.tags.map((tag) => `${tag.key}=${tag.value}`).join(' ')}`}
                  </td>
                  <td>
                    <Moment at={key.createdAt} />
                  </td>
                  <td>{key.lastUsedAt === null ? 'never' : <Moment at={key.lastUsedAt} />}</td>
                  <td>
                    <State of={key}>
                      <button
                        type="button"
                        className="danger small"
                        disabled={fetching}
                        onClick={() => void revoke({ id: key.id }).then(again)}
                      >
                        Revoke<span className="visually-hidden"> the key of {key.caller}</span>
                      </button>
                    </State>
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Panel>
        <NewKey isFirst={data?.apiKeys.length === 0} onMade={again} />
      </div>
    </>
  );
}

function State({ of: key, children }: { readonly of: Key; readonly children: ReactNode }) {
  if (key.revokedAt !== null) return <Badge tone="bad">revoked</Badge>;
  if (key.expiresAt !== null && new Date(key.expiresAt).getTime() < Date.now())
    return <Badge tone="warn">expired</Badge>;
  return children;
}

function NewKey({ isFirst, onMade }: { readonly isFirst: boolean; readonly onMade: () => void }) {
  const [{ error, fetching }, create] = useAction(createKey);
  const { show } = useMadeSecret();

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    const perMinute = Number(field(form, 'perMinute'));
    const expires = field(form, 'expires');
    const input: CreateApiKeyInput = {
      caller: field(form, 'caller'),
      scopes: field(form, 'scopes').split(/\s+/).filter(Boolean),
      team: field(form, 'team') || null,
      tags: field(form, 'tags')
        .split(/\s+/)
        .filter((tag) => tag.includes('='))
        .map((tag) => ({ key: tag.slice(0, tag.indexOf('=')), value: tag.slice(tag.indexOf('=') + 1) })),
      ...(perMinute > 0 ? { requestsPerMinute: perMinute } : {}),
      ...(expires === '' ? {} : { expiresAt: new Date(expires).toISOString() }),
    };
    const { data } = await create({ input });
    if (data === undefined) return;
    show(data.createApiKey.secret);
    element.reset();
    onMade();
  }

  return (
    <Panel title="Make a key">
      <Secret />
      <form onSubmit={(event) => void submit(event)}>
        <label htmlFor="key-caller">Caller: whose name its runs carry</label>
        <input id="key-caller" name="caller" required autoComplete="off" />
        <label htmlFor="key-scopes">Scopes</label>
        <input
          id="key-scopes"
          name="scopes"
          required
          // Who makes the first goes on with it.
          key={String(isFirst)}
          defaultValue={isFirst ? 'run:* read:all admin' : 'run:*'}
          aria-describedby="key-scopes-hint"
        />
        <p className="hint" id="key-scopes-hint">
          run:NAME, run:*, read:stats, read:all, caller:*, admin
        </p>
        <label htmlFor="key-team">Team</label>
        <input id="key-team" name="team" autoComplete="off" />
        <label htmlFor="key-tags">Tags</label>
        <input id="key-tags" name="tags" placeholder="plan=trial" autoComplete="off" />
        <label htmlFor="key-rate">Requests a minute</label>
        <input id="key-rate" name="perMinute" type="number" min="1" placeholder="no limit" />
        <label htmlFor="key-expires">Expires</label>
        <input id="key-expires" name="expires" type="datetime-local" />
        <Problem text={errorText(error)} />
        <div className="actions">
          <button type="submit" className="primary" disabled={fetching}>
            Make a key
          </button>
        </div>
      </form>
    </Panel>
  );
}
