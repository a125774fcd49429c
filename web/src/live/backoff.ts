const longest = 30_000

/**
 * Waits between attempts, in milliseconds: doubling up to half a minute, the upper half of each drawn at random, so that many pages do
 * not come back to a gateway in the same moment.
 */
export class Backoff {
  #failures = 0

  constructor(private readonly random: () => number = Math.random) {}

  /** The wait after one more failure. `base` is the first wait; `atLeast` is what the server asked for, up to two minutes. */
  next(base = 1_000, atLeast = 0): number {
    const full = Math.min(longest, base * 2 ** this.#failures)
    this.#failures++
    return Math.max(full * (0.5 + this.random() / 2), Math.min(atLeast, 120_000))
  }

  reset(): void {
    this.#failures = 0
  }
}
