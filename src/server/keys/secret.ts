// The secret of an API key: how one is made, and the only form in which it is kept.
import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'hg_';
/** 256 bits: a secret cannot be guessed, so its hash needs no salt and no slow function. */
const SECRET_BYTES = 32;
const SECRET_TEXT = /^hg_[A-Za-z0-9_-]{43}$/;
/** The prefix and six characters: enough to tell keys apart, too little to help anyone. */
const HINT_CHARACTERS = 9;

export function newSecret(bytes: (size: number) => Buffer = randomBytes): string {
  return `${PREFIX}${bytes(SECRET_BYTES).toString('base64url')}`;
}

export function isSecret(text: string): boolean {
  return SECRET_TEXT.test(text);
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

export function hintOf(secret: string): string {
  return `${secret.slice(0, HINT_CHARACTERS)}…`;
}
