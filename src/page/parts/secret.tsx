// A key that was just made, until it is put away: the first one closes the server to the page itself, and would be lost with the view that made it.
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react';

interface MadeSecret {
  readonly secret: string | undefined;
  readonly show: (secret: string | undefined) => void;
}

const Made = createContext<MadeSecret>({ secret: undefined, show: () => {} });

export const useMadeSecret = (): MadeSecret => useContext(Made);

/** Above all that may go while the secret is shown. */
export function KeepSecret({ children }: { readonly children: ReactNode }) {
  const [secret, show] = useState<string>();
  return <Made value={useMemo(() => ({ secret, show }), [secret])}>{children}</Made>;
}

export function Secret() {
  const { secret, show } = useMadeSecret();
  if (secret === undefined) return null;
  return (
    <p className="secret" role="status">
      Shown once, and never again: <code>{secret}</code>{' '}
      <button type="button" className="small" onClick={() => void navigator.clipboard.writeText(secret)}>
        Copy
      </button>{' '}
      <button type="button" className="small" onClick={() => show(undefined)}>
        Done
      </button>
    </p>
  );
}
