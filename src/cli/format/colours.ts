// Colours for a terminal; plain text where there is none, or where NO_COLOR is set.
import { styleText } from 'node:util';

export interface Colours {
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

export function coloursFor(stream: NodeJS.WriteStream): Colours {
  const paint =
    (format: 'red' | 'yellow' | 'green' | 'blue' | 'bold' | 'dim') =>
    (text: string): string =>
      styleText(format, text, { stream });
  return {
    red: paint('red'),
    yellow: paint('yellow'),
    green: paint('green'),
    blue: paint('blue'),
    bold: paint('bold'),
    dim: paint('dim'),
  };
}

const plain = (text: string): string => text;
export const noColours: Colours = {
  red: plain,
  yellow: plain,
  green: plain,
  blue: plain,
  bold: plain,
  dim: plain,
};
