// Accept: may any of the media types that the API gives be sent to who asks?

const GIVEN = ['application/json', 'application/graphql-response+json', 'text/event-stream'] as const;

/** `accept` as the header has it; empty or absent: everything is taken (RFC 9110, 12.5.1). */
export function isAcceptable(accept: string | undefined): boolean {
  if (accept === undefined || accept === '*/*' || accept.trim() === '') return true;
  return accept.split(',').some((part) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return false;
    return (
      range === '*/*' ||
      GIVEN.some((type) => type === range || (range.endsWith('/*') && type.startsWith(range.slice(0, -1))))
    );
  });
}
