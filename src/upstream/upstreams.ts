import { Upstream } from './upstream.ts';

/** The upstreams of one thread, by address. */
export class Upstreams {
  readonly #byUrl = new Map<string, Upstream>();

  of(url: string): Upstream {
    let upstream = this.#byUrl.get(url);
    if (upstream === undefined) this.#byUrl.set(url, (upstream = new Upstream(url)));
    return upstream;
  }

  /** A new snapshot names these: connections to others are closed once they are idle. */
  keepOnly(urls: ReadonlySet<string>): void {
    for (const [url, upstream] of this.#byUrl) {
      if (urls.has(url)) continue;
      this.#byUrl.delete(url);
      void upstream.close();
    }
  }
}
