// Refused: one operation asks for what cannot be; the others of its transaction are committed.

export class Refused extends Error {
  override readonly name = 'Refused';
}
