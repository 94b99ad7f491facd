// The frame of the page: who is here, whether it is live, and which view is shown.
import { lazy, Suspense, useEffect, useMemo, useState, type ComponentType } from 'react';
import { Provider } from 'urql';
import { Link, Route, Switch, useLocation } from 'wouter';
import { createApi, useData, type Connection } from './client.ts';
import { graphql } from './generated/gql.ts';
import gate from './gate.svg';
import { Now } from './now/now.tsx';
import { KeepSecret } from './parts/secret.tsx';
import { signOut, SignIn } from './session/sign-in.tsx';

interface View {
  readonly path: string;
  readonly name: string;
  readonly view: ComponentType;
}

const late = (load: () => Promise<ComponentType>): ComponentType =>
  lazy(async () => ({ default: await load() }));

/** Only the first view is in the first load. */
const VIEWS: readonly View[] = [
  { path: '/', name: 'Now', view: Now },
  {
    path: '/explore',
    name: 'Explore',
    view: late(async () => (await import('./explore/explore.tsx')).Explore),
  },
  { path: '/runs', name: 'Runs', view: late(async () => (await import('./runs/runs.tsx')).Runs) },
  { path: '/tasks', name: 'Tasks', view: late(async () => (await import('./tasks/tasks.tsx')).Tasks) },
  {
    path: '/revisions',
    name: 'Revisions',
    view: late(async () => (await import('./revisions/revisions.tsx')).Revisions),
  },
  {
    path: '/providers',
    name: 'Providers',
    view: late(async () => (await import('./operate/providers.tsx')).Providers),
  },
  { path: '/alerts', name: 'Alerts', view: late(async () => (await import('./operate/alerts.tsx')).Alerts) },
  { path: '/keys', name: 'Keys', view: late(async () => (await import('./operate/keys.tsx')).Keys) },
];

export function App() {
  return (
    <KeepSecret>
      <Session />
    </KeepSecret>
  );
}

function Session() {
  const [signedOut, setSignedOut] = useState(false);
  const [connection, setConnection] = useState<Connection>('connecting');
  const [visit, setVisit] = useState(0);
  // A new session begins with nothing of the one before: no cache, no connection.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const api = useMemo(() => createApi(setConnection, () => setSignedOut(true)), [visit]);
  useEffect(() => () => api.end(), [api]);

  if (signedOut)
    return (
      <SignIn
        onSignedIn={() => {
          setSignedOut(false);
          setVisit(visit + 1);
        }}
      />
    );
  return (
    <Provider value={api.client} key={visit}>
      <Frame connection={connection} />
    </Provider>
  );
}

const viewerQuery = graphql(`
  query Viewer {
    viewer {
      name
      keyId
      scopes
      pinnedRevision {
        hash
      }
    }
  }
`);

const CONNECTION_WORDS: { readonly [state in Connection]: string } = {
  connecting: 'connecting',
  live: 'live',
  lost: 'connection lost; it comes back by itself',
};

function Frame({ connection }: { readonly connection: Connection }) {
  const [{ data }] = useData(viewerQuery, {});
  const [path] = useLocation();
  const viewer = data?.viewer;
  useEffect(() => {
    const view = VIEWS.find((view) => isAt(path, view.path));
    document.title = `${view?.name ?? 'Headgate'} · Headgate`;
  }, [path]);
  return (
    <>
      <a className="skip" href="#view">
        Skip to the view
      </a>
      <header className="bar">
        <Link href="/" className="brand">
          <img src={gate} alt="" width="22" height="22" /> Headgate
        </Link>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <Link key={view.path} href={view.path} aria-current={isAt(path, view.path) ? 'page' : undefined}>
              {view.name}
            </Link>
          ))}
        </nav>
        <span className={`connection ${connection}`} role="status">
          {CONNECTION_WORDS[connection]}
        </span>
        <ThemeButton />
        {viewer?.keyId !== null && viewer !== undefined && (
          <button
            type="button"
            className="quiet"
            onClick={() => void signOut()}
            title={`Signed in as ${viewer.name}`}
          >
            Sign out
          </button>
        )}
      </header>
      {viewer?.pinnedRevision && (
        <p className="notice">
          Revision <code>{viewer.pinnedRevision.hash.slice(0, 12)}</code> is pinned: what the workflows say
          has no effect until it is released.
        </p>
      )}
      <main id="view" tabIndex={-1}>
        <Suspense fallback={<p className="empty">…</p>}>
          <Switch>
            {VIEWS.map(({ path, view: View }) => (
              <Route key={path} path={path === '/' ? '/' : `${path}/*?`}>
                <View />
              </Route>
            ))}
            <Route>
              <h1>No such view</h1>
              <p>
                <Link href="/">Now</Link> is where everything begins.
              </p>
            </Route>
          </Switch>
        </Suspense>
      </main>
    </>
  );
}

function isAt(path: string, view: string): boolean {
  return view === '/' ? path === '/' : path === view || path.startsWith(`${view}/`);
}

const THEME_KEY = 'headgate-theme';

/** Light, dark, or as the system has it. */
function ThemeButton() {
  const [theme, setTheme] = useState(() => localStorage.getItem(THEME_KEY) ?? 'system');
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(THEME_KEY, theme);
  }, [theme]);
  const next = theme === 'system' ? 'dark' : theme === 'dark' ? 'light' : 'system';
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => setTheme(next)}
      aria-label={`Theme: ${theme}. Change to ${next}`}
    >
      <span aria-hidden="true">{theme === 'dark' ? '☾' : theme === 'light' ? '☀' : '◐'}</span>
    </button>
  );
}
