// Sign-in: a key traded for a session cookie; the key itself stays nowhere.
import { useState, type FormEvent } from 'react';
import { field, Problem } from '../parts/parts.tsx';
import { Secret } from '../parts/secret.tsx';

export function SignIn({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const key = field(new FormData(event.currentTarget), 'key');
    setBusy(true);
    setProblem(await openSession(key));
    setBusy(false);
  }

  async function openSession(key: string): Promise<string | undefined> {
    try {
      const response = await fetch('/session', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ key }),
      });
      if (response.ok) {
        onSignedIn();
        return undefined;
      }
      const { errors } = (await response.json()) as { errors: { message: string }[] };
      return errors[0]?.message ?? 'This key was refused.';
    } catch {
      return 'The server cannot be reached.';
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Headgate</h1>
        <Secret />
        <p>
          This server asks for an API key. It is traded for a session of this browser and is kept nowhere.
        </p>
        <label htmlFor="key">API key</label>
        <input id="key" name="key" type="password" autoComplete="off" required placeholder="hg_…" />
        <Problem text={problem} />
        <button type="submit" className="primary" disabled={busy}>
          Sign in
        </button>
        <p className="hint">
          <code>headgate keys create --caller you --scope read:all --scope admin</code> makes one.
        </p>
      </form>
    </main>
  );
}

export async function signOut(): Promise<void> {
  await fetch('/session', { method: 'DELETE' });
  location.assign('/');
}
