import { queryInstant, queryRange, type QueryResult, type Range } from './api';

/**
 * The queries of one refresh: who asks the same thing gets the same answer, and
 * Prometheus is asked once. The next refresh has a SharedQueries of its own.
 */
export class SharedQueries {
  private readonly asked = new Map<string, Promise<QueryResult>>();
  private readonly controller = new AbortController();

  instant(query: string, time: number): Promise<QueryResult> {
    return this.once(`${time} ${query}`, () => queryInstant(query, time, this.controller.signal));
  }

  range(query: string, range: Range): Promise<QueryResult> {
    return this.once(`${range.start}-${range.end}/${range.step} ${query}`, () =>
      queryRange(query, range, this.controller.signal)
    );
  }

  /** Resolves when every query that was asked so far has been answered, well or badly. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.asked.values());
  }

  /** Takes back what has not been answered yet. */
  abort(): void {
    this.controller.abort();
  }

  private once(key: string, ask: () => Promise<QueryResult>): Promise<QueryResult> {
    const known = this.asked.get(key);
    if (known) {
      return known;
    }
    const asked = ask();
    this.asked.set(key, asked);
    return asked;
  }
}
