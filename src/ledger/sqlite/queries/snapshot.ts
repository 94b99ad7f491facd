// Several reads of one commit.
import type { DatabaseSync } from 'node:sqlite';

/** All reads of `body` see the same commit. Not to be nested. */
export function inSnapshot<Value>(
  connection: DatabaseSync,
  body: (connection: DatabaseSync) => Value,
): Value {
  connection.exec('begin');
  try {
    return body(connection);
  } finally {
    connection.exec('commit');
  }
}
