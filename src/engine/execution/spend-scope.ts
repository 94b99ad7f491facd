// A scope of spending as the mutations take it, so that a remedy can be pasted.

/** `task:summarize` → `{task: "summarize"}`; `all` → `{all: true}`. */
export function graphqlScope(scope: string): string {
  const colon = scope.indexOf(':');
  return colon < 0
    ? `{${scope}: true}`
    : `{${scope.slice(0, colon)}: ${JSON.stringify(scope.slice(colon + 1))}}`;
}
