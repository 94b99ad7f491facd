// Watches a stream for silence: before the first token, and between tokens. Costs one look at the clock a token, and one timer a stream.
import type { Clock } from '../../common/clock.ts';
import { AttemptTimeout } from './port.ts';

export interface StreamWatch {
  /**
   * Something came from the provider. The first `token` ends the wait for the first token. After it everything resets the stall watch: a provider
   * that sends pings is alive. Before it only a token counts: pings and headers are no answer.
   */
  progress(kind: 'headers' | 'token' | 'other'): void;
  /** The stream is over, well or badly. Idempotent. */
  end(): void;
}

export interface StreamWatchOptions {
  readonly clock: Clock;
  /** Silence before the first token; milliseconds. */
  readonly firstTokenMs: number;
  /** Silence after it; milliseconds. */
  readonly stallMs: number;
  /** Called once, when a watch runs out; abort the attempt with it. */
  readonly abort: (reason: AttemptTimeout) => void;
}

/**
 * The timer is not moved with each token: when it fires early, because tokens came since it was set, it is set again for what is left.
 */
export function watchStream({ clock, firstTokenMs, stallMs, abort }: StreamWatchOptions): StreamWatch {
  let streaming = false;
  let ended = false;
  let lastProgressMs = clock.monotonicMs();
  let cancel = clock.after(firstTokenMs, fire);

  function fire(): void {
    if (ended) return;
    const limitMs = streaming ? stallMs : firstTokenMs;
    const leftMs = lastProgressMs + limitMs - clock.monotonicMs();
    if (leftMs > 0) {
      cancel = clock.after(leftMs, fire);
      return;
    }
    ended = true;
    abort(new AttemptTimeout(streaming ? 'stall' : 'first_token', limitMs));
  }

  return {
    progress(kind) {
      if (ended) return;
      if (streaming) {
        lastProgressMs = clock.monotonicMs();
      } else if (kind === 'token') {
        streaming = true;
        lastProgressMs = clock.monotonicMs();
        // The two limits differ: the timer that waits for the first token may be later than the first stall would be.
        cancel();
        cancel = clock.after(stallMs, fire);
      }
    },
    end() {
      ended = true;
      cancel();
    },
  };
}
