// A form made of a task's input schema: fill in, drop a file on a text, watch it stream.
import { useRef, useState, type DragEvent, type FormEvent } from 'react';
import { useClient } from 'urql';
import { errorText } from '../client.ts';
import { field, Panel, Problem, RunLink, Status, Usd, duration } from '../parts/parts.tsx';
import { Json } from '../runs/run.tsx';
import type { TryTaskSubscription } from '../generated/graphql.ts';
import { tryTask } from './query.ts';

interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly maxLength?: number;
}
interface ObjectSchema {
  readonly properties?: { readonly [name: string]: Property };
  readonly required?: readonly string[];
}

type Event = TryTaskSubscription['streamTaskJson'];
type Result = Extract<Event, { __typename?: 'RunFinished' }>['result'];

const LONG_TEXT = 500;

export function Try({ name, schema }: { readonly name: string; readonly schema: unknown }) {
  const client = useClient();
  const [problem, setProblem] = useState<string>();
  const [texts, setTexts] = useState<{ readonly [path: string]: string }>({});
  const [runId, setRunId] = useState<string | null>(null);
  const [result, setResult] = useState<Result>();
  const stop = useRef<(() => void) | undefined>(undefined);
  const [running, setRunning] = useState(false);
  const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema;

  function take(event: Event): void {
    if (event.runId) setRunId(event.runId);
    if (event.__typename === 'RunText')
      setTexts((before) => ({ ...before, [event.path]: (before[event.path] ?? '') + event.delta }));
    else if (event.__typename === 'RunTextRestarted') setTexts((before) => ({ ...before, [event.path]: '' }));
    else if (event.__typename === 'RunFinished') {
      setResult(event.result);
      end();
    }
  }

  function end(): void {
    stop.current?.();
    stop.current = undefined;
    setRunning(false);
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const read = readInput(properties, new FormData(event.currentTarget));
    if (typeof read === 'string') return setProblem(read);
    setProblem(undefined);
    setTexts({});
    setRunId(null);
    setResult(undefined);
    setRunning(true);
    const running = client
      .subscription<TryTaskSubscription>(tryTask.toString(), { name, input: read })
      .subscribe(({ data, error }) => {
        if (error !== undefined) {
          setProblem(errorText(error));
          end();
        } else if (data !== undefined) take(data.streamTaskJson);
      });
    stop.current = () => running.unsubscribe();
  }

  return (
    <Panel title="Try it">
      <form onSubmit={submit}>
        {Object.entries(properties).map(([key, property]) => (
          <Input key={key} name={key} property={property} required={required.includes(key)} />
        ))}
        <Problem text={problem} />
        <div className="actions">
          {running && (
            <button type="button" className="danger" onClick={end}>
              Stop
            </button>
          )}
          <button type="submit" className="primary" disabled={running}>
            Run
          </button>
        </div>
      </form>
      <div aria-live="polite">
        {Object.entries(texts).map(([path, text]) => (
          <section key={path}>
            <h3>{path}</h3>
            <Json of={text} />
          </section>
        ))}
        {result?.__typename === 'Run' && (
          <>
            <p>
              <Status of={result.status} /> <Usd of={result.cost} />
              {result.latencyMs !== null && ` in ${duration(result.latencyMs)}`} ·{' '}
              <RunLink id={result.id}>the run</RunLink>
            </p>
            {result.error && <Problem text={`${result.error.message} ${result.error.remedy}`} />}
            {result.outputJson !== null && <Json of={result.outputJson} />}
          </>
        )}
        {result !== undefined && 'message' in result && (
          <Problem
            text={[
              `${result.message} ${result.remedy}`,
              ...('problems' in result
                ? result.problems.map(({ path, message }) => `${path}: ${message}`)
                : []),
            ].join(' · ')}
          />
        )}
        {result === undefined && runId !== null && <RunLink id={runId}>the run, as it goes</RunLink>}
      </div>
    </Panel>
  );
}

const kindOf = ({ type }: Property): string =>
  typeof type === 'string' ? type : (type?.find((one) => one !== 'null') ?? 'json');

function Input({
  name,
  property,
  required,
}: {
  readonly name: string;
  readonly property: Property;
  readonly required: boolean;
}) {
  const id = `input-${name}`;
  const kind = kindOf(property);
  const given = property.default;
  const common = { id, name, required: required && kind !== 'boolean', 'aria-describedby': `${id}-hint` };
  const isLong =
    kind === 'string' && property.format === undefined && (property.maxLength ?? Infinity) > LONG_TEXT;
  return (
    <>
      <label htmlFor={id}>
        {name}
        {required && <span aria-hidden="true"> *</span>}
      </label>
      {property.enum !== undefined ? (
        <select {...common} defaultValue={text(given)}>
          {!required && <option value="">–</option>}
          {property.enum.map((one) => (
            <option key={text(one)}>{text(one)}</option>
          ))}
        </select>
      ) : kind === 'boolean' ? (
        <input {...common} type="checkbox" className="check" defaultChecked={given === true} />
      ) : kind === 'integer' || kind === 'number' ? (
        <input {...common} type="number" step={kind === 'integer' ? 1 : 'any'} defaultValue={text(given)} />
      ) : isLong || kind !== 'string' ? (
        <textarea
          {...common}
          rows={kind === 'string' ? 7 : 4}
          defaultValue={text(given)}
          onDragOver={allow}
          onDrop={(event) => void takeFile(event)}
        />
      ) : (
        <input {...common} type={property.format === 'date' ? 'date' : 'text'} defaultValue={text(given)} />
      )}
      <p className="hint" id={`${id}-hint`}>
        {property.description}
        {isLong && ' A file can be dropped here.'}
        {!isLong && kind !== 'string' && !['boolean', 'integer', 'number'].includes(kind) && ' As JSON.'}
      </p>
    </>
  );
}

function text(value: unknown): string {
  return value === undefined || value === null
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

function allow(event: DragEvent): void {
  event.preventDefault();
}

async function takeFile(event: DragEvent<HTMLTextAreaElement>): Promise<void> {
  event.preventDefault();
  const area = event.currentTarget;
  const file = event.dataTransfer.files[0];
  if (file !== undefined) area.value = await file.text();
}

/** The input, or what is wrong with it. What is left empty is not sent. */
function readInput(
  properties: { readonly [name: string]: Property },
  form: FormData,
): { readonly [name: string]: unknown } | string {
  const input: { [name: string]: unknown } = {};
  for (const [name, property] of Object.entries(properties)) {
    const given = field(form, name);
    const kind = kindOf(property);
    if (kind === 'boolean') input[name] = form.has(name);
    else if (given === '') continue;
    else if (kind === 'string') input[name] = given;
    else
      try {
        input[name] = JSON.parse(given);
      } catch {
        return `${name} is not JSON.`;
      }
  }
  return input;
}
