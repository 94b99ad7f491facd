// The red switch: nothing more is sent to a provider in a scope until it is resumed; and what is paused now, by whom.
import { Dialog } from '@base-ui/react/dialog';
import { useEffect, useState, type FormEvent } from 'react';
import { errorText, useAction, useData, useLive } from '../client.ts';
import { field, Moment, Problem } from '../parts/parts.tsx';
import type { SpendScopeInput } from '../generated/graphql.ts';
import { alertsLive, pauseSpending, resumeSpending, scopesQuery, switchesQuery } from './query.ts';

type ScopeKind = 'all' | 'task' | 'provider' | 'model' | 'caller';
const KINDS: readonly { readonly kind: ScopeKind; readonly label: string }[] = [
  { kind: 'all', label: 'everything' },
  { kind: 'provider', label: 'a provider' },
  { kind: 'model', label: 'a model' },
  { kind: 'task', label: 'a task' },
  { kind: 'caller', label: 'a caller' },
];

/** `provider:openai` → `{ provider: 'openai' }`. */
function scopeInput(scope: string): SpendScopeInput {
  const colon = scope.indexOf(':');
  const kind = scope.slice(0, colon);
  const value = scope.slice(colon + 1);
  switch (kind) {
    case 'task':
      return { task: value };
    case 'provider':
      return { provider: value };
    case 'model':
      return { model: value };
    case 'caller':
      return { caller: value };
    default:
      return { all: true };
  }
}

export function SpendSwitch() {
  const [{ data, error }, read] = useData(switchesQuery, {});
  const [{ error: resumeError }, resume] = useAction(resumeSpending);
  const raised = useLive(alertsLive, {})?.alerts.id;
  const again = (): void => read({ requestPolicy: 'network-only' });
  useEffect(() => {
    if (raised !== undefined) read({ requestPolicy: 'network-only' });
  }, [raised, read]);
  const paused = (data?.spendSwitches ?? []).filter((one) => one.paused);
  return (
    <div className="switch">
      <PauseDialog onPaused={again} />
      <ul className="paused" aria-label="What is paused">
        {paused.map((one) => (
          <li key={one.scope}>
            <strong>{one.scope === 'all' ? 'Everything' : one.scope}</strong> is paused by {one.by} since{' '}
            <Moment at={one.since} />: {one.reason}{' '}
            <button
              type="button"
              className="small"
              onClick={() => void resume({ scope: scopeInput(one.scope) }).then(again)}
            >
              Resume<span className="visually-hidden"> {one.scope}</span>
            </button>
          </li>
        ))}
      </ul>
      <Problem text={errorText(error ?? resumeError)} />
    </div>
  );
}

function PauseDialog({ onPaused }: { readonly onPaused: () => void }) {
  const [open, setOpen] = useState(false);
  const [kind, setKind] = useState<ScopeKind>('all');
  const [{ error, fetching }, pause] = useAction(pauseSpending);
  const [{ data }] = useData(scopesQuery, {}, { pause: !open });

  const known: { readonly [name in ScopeKind]?: readonly string[] } = {
    task: data?.taskTypes.map(({ name }) => name) ?? [],
    provider: data?.providers.map(({ name }) => name) ?? [],
    model: data?.providers.flatMap(({ models }) => models.map(({ key }) => key)) ?? [],
  };

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const reason = field(form, 'reason');
    const scope = kind === 'all' ? 'all' : `${kind}:${field(form, 'value')}`;
    const { error } = await pause({ scope: scopeInput(scope), reason });
    if (error !== undefined) return;
    setOpen(false);
    onPaused();
  }

  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="danger big-switch">Pause spending</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog">
          <Dialog.Title>Pause spending</Dialog.Title>
          <Dialog.Description>
            Nothing is sent to any provider in this scope until somebody resumes it. Calls under way end as
            they would.
          </Dialog.Description>
          <form onSubmit={(event) => void submit(event)}>
            <label htmlFor="pause-kind">Of</label>
            <select
              id="pause-kind"
              value={kind}
              onChange={(event) => setKind(event.target.value as ScopeKind)}
            >
              {KINDS.map((one) => (
                <option key={one.kind} value={one.kind}>
                  {one.label}
                </option>
              ))}
            </select>
            {kind !== 'all' && (
              <>
                <label htmlFor="pause-value">Which</label>
                {known[kind] === undefined ? (
                  <input id="pause-value" name="value" required placeholder="its name" />
                ) : (
                  <select id="pause-value" name="value" required>
                    {known[kind].map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                )}
              </>
            )}
            <label htmlFor="pause-reason">Why</label>
            <input
              id="pause-reason"
              name="reason"
              required
              placeholder="for whoever finds it paused"
              autoComplete="off"
            />
            <Problem text={errorText(error)} />
            <div className="actions">
              <Dialog.Close>Cancel</Dialog.Close>
              <button type="submit" className="danger" disabled={fetching}>
                Pause
              </button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
