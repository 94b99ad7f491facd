// Filters live in the URL, so that a view can be sent to a colleague as an address.
import { useSearchParams } from 'wouter';

/** A view's address with its filters; those that say nothing are left out. */
export function addressOf(path: string, filters: { readonly [name: string]: string }): string {
  const said = Object.entries(filters).filter(([, value]) => value !== '');
  return `${path}?${new URLSearchParams(said).toString()}`;
}

/** One filter of the address; '' is none. Set without a new entry in the history: a filter is no page. */
export function useFilter(name: string): readonly [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  return [
    params.get(name) ?? '',
    (value) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === '') after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
  ];
}
